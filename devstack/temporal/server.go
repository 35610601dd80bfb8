package main

import (
	"go.temporal.io/server/common/authorization"
	"go.temporal.io/server/common/cluster"
	"go.temporal.io/server/common/config"
	"go.temporal.io/server/common/log"
	"go.temporal.io/server/common/membership/static"
	"go.temporal.io/server/common/metrics"
	"go.temporal.io/server/common/persistence/sql/sqlplugin/sqlite"
	"go.temporal.io/server/common/primitives"
	"go.temporal.io/server/temporal"
)

// clusterName is stored in the database with every namespace; changing it makes
// existing files unusable. It is the name Temporal's own development servers use.
const clusterName = "active"

// serverConfig describes one node with all four services. The ports are those of
// claimPorts.
func serverConfig(o options, portOf map[primitives.ServiceName]int) *config.Config {
	cfg := &config.Config{
		Persistence: config.Persistence{
			DefaultStore:    sqlite.PluginName,
			VisibilityStore: sqlite.PluginName,
			// More shards than one only helps where there is more than one writer.
			// The number is fixed for the life of a database file.
			NumHistoryShards: 1,
			DataStores: map[string]config.DataStore{
				sqlite.PluginName: {SQL: sqlConfig(o.database)},
			},
		},
		ClusterMetadata: &cluster.Config{
			FailoverVersionIncrement: 10, // the server's default; it only matters between clusters
			MasterClusterName:        clusterName,
			CurrentClusterName:       clusterName,
			ClusterInformation: map[string]cluster.ClusterInformation{
				clusterName: {
					Enabled:                true,
					InitialFailoverVersion: 1,
					RPCAddress:             o.address(o.port),
				},
			},
		},
		DCRedirectionPolicy: config.DCRedirectionPolicy{Policy: "noop"},
		Services:            map[string]config.Service{},
		Archival: config.Archival{
			History:    config.HistoryArchival{State: config.ArchivalDisabled},
			Visibility: config.VisibilityArchival{State: config.ArchivalDisabled},
		},
		NamespaceDefaults: config.NamespaceDefaults{
			Archival: config.ArchivalNamespaceDefaults{
				History:    config.HistoryArchivalNamespaceDefaults{State: config.ArchivalDisabled},
				Visibility: config.VisibilityArchivalNamespaceDefaults{State: config.ArchivalDisabled},
			},
		},
		PublicClient: config.PublicClient{HostPort: o.address(o.port)},
	}
	for service, port := range portOf {
		rpc := config.RPC{GRPCPort: port, BindOnIP: o.ip}
		if service == primitives.FrontendService {
			rpc.HTTPPort = o.httpPort
		}
		cfg.Services[string(service)] = config.Service{RPC: rpc}
	}
	if o.metricsPort != 0 {
		cfg.Global.Metrics = &metrics.Config{Prometheus: &metrics.PrometheusConfig{
			Framework:     metrics.FrameworkOpentelemetry,
			ListenAddress: o.address(o.metricsPort),
			HandlerPath:   "/metrics",
		}}
	}
	return cfg
}

// sqlConfig opens the file with a write-ahead log, which makes the server about
// six times faster than SQLite's default and still loses nothing that was
// acknowledged when the process is killed. (synchronous=1 may lose the last
// transactions when the whole machine loses power, which a development stack can
// live with.)
func sqlConfig(file string) *config.SQL {
	return &config.SQL{
		PluginName:   sqlite.PluginName,
		DatabaseName: file,
		ConnectAttributes: map[string]string{
			"mode":         "rwc",
			"journal_mode": "wal",
			"synchronous":  "1",
		},
	}
}

// newServer assembles the four services. They find each other by fixed addresses,
// since there is no second node to gossip with.
func newServer(cfg *config.Config, o options, portOf map[primitives.ServiceName]int, logger log.Logger) (temporal.Server, error) {
	hosts := map[primitives.ServiceName]static.Hosts{}
	for service, port := range portOf {
		hosts[service] = static.SingleLocalHost(o.address(port))
	}
	return temporal.NewServer(
		temporal.WithConfig(cfg),
		temporal.ForServices(temporal.DefaultServices),
		temporal.WithStaticHosts(hosts),
		temporal.WithLogger(logger),
		temporal.WithAuthorizer(authorization.NewNoopAuthorizer()),
		temporal.WithClaimMapper(func(*config.Config) authorization.ClaimMapper {
			return authorization.NewNoopClaimMapper()
		}),
		temporal.WithDynamicConfigClient(settings()),
	)
}
