package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"

	"go.temporal.io/server/common/config"
	"go.temporal.io/server/common/log"
	"go.temporal.io/server/common/metrics"
	"go.temporal.io/server/common/persistence/sql"
	"go.temporal.io/server/common/persistence/sql/sqlplugin"
	sqliteplugin "go.temporal.io/server/common/persistence/sql/sqlplugin/sqlite"
	"go.temporal.io/server/common/resolver"
	sqliteschema "go.temporal.io/server/schema/sqlite"
	"google.golang.org/protobuf/types/known/durationpb"
)

// lockDatabase keeps a second server away from the file, creating its directory
// if missing. Two servers would both believe that they own the only shard and
// undo each other's work. The kernel drops the lock when the process dies,
// however it dies.
func lockDatabase(file string) (unlock func(), err error) {
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return nil, fmt.Errorf("--db: %w", err)
	}
	lock, err := os.OpenFile(file+".lock", os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("--db: %w", err)
	}
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		lock.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, fmt.Errorf("--db %s is in use by another server", file)
		}
		return nil, fmt.Errorf("--db: lock %s: %w", lock.Name(), err)
	}
	return func() { lock.Close() }, nil
}

// prepareDatabase writes the schema into a new file and creates the namespaces
// that are missing, with their search attributes. Done before the server starts,
// because then every service knows them from its first moment; through the API it
// would be seconds before the last of their caches did.
func prepareDatabase(cfg *config.Config, o options) error {
	sqlCfg := cfg.Persistence.DataStores[sqliteplugin.PluginName].SQL
	if err := writeSchema(sqlCfg); err != nil {
		return fmt.Errorf("--db %s: %w", o.database, err)
	}
	var namespaces []*sqliteschema.NamespaceConfig
	for _, name := range o.namespaces {
		ns, err := sqliteschema.NewNamespaceConfig(clusterName, name, false, o.searchAttributes)
		if err != nil {
			return fmt.Errorf("--search-attribute: %w", err)
		}
		ns.Detail.Config.Retention = durationpb.New(o.retention)
		namespaces = append(namespaces, ns)
	}
	// One that exists is left as it is.
	if err := sqliteschema.CreateNamespaces(sqlCfg, namespaces...); err != nil {
		return fmt.Errorf("--db %s: %w", o.database, err)
	}
	return nil
}

// writeSchema creates the tables of an empty database in one transaction: a file
// either has all of them or none, whenever the process is killed.
func writeSchema(cfg *config.SQL) (err error) {
	db, err := sql.NewSQLAdminDB(sqlplugin.DbKindUnknown, cfg, resolver.NewNoopResolver(), log.NewNoopLogger(), metrics.NoopMetricsHandler)
	if err != nil {
		return fmt.Errorf("open: %w", err)
	}
	defer db.Close()
	tables, err := db.ListTables(cfg.DatabaseName)
	if err != nil {
		return fmt.Errorf("read: %w", err)
	}
	if len(tables) > 0 {
		return nil
	}
	// The plugin has a single connection, so these statements share it.
	if err := db.Exec("BEGIN IMMEDIATE"); err != nil {
		return fmt.Errorf("write the schema: %w", err)
	}
	if err := sqliteschema.SetupSchemaOnDB(db); err != nil {
		return errors.Join(fmt.Errorf("write the schema: %w", err), db.Exec("ROLLBACK"))
	}
	if err := db.Exec("COMMIT"); err != nil {
		return fmt.Errorf("write the schema: %w", err)
	}
	return nil
}
