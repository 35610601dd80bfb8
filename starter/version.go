package main

import (
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// version is set when a release is built: -ldflags "-X main.version=…".
var version = "devel"

// versionReport says which program this is and which definitions it holds.
type versionReport struct {
	Version  string `json:"version"`
	Revision string `json:"revision,omitempty"`
	Go       string `json:"go"`
	// Catalogue is compared with the one of a gateway's /readyz.
	Catalogue string `json:"catalogue"`
	Apps      int    `json:"apps"`
}

func (p *program) versionCommand() *cobra.Command {
	return &cobra.Command{
		Use: "version", Short: "Show the version, and the digest of the definitions that are loaded", Args: takes(),
		ValidArgsFunction: fixed(),
		RunE: func(*cobra.Command, []string) error {
			catalogue, err := p.catalogue()
			if err != nil {
				return err
			}
			report := versionReport{Version: version, Revision: revision(), Go: runtime.Version(),
				Catalogue: catalogue.Digest(), Apps: len(catalogue.Apps())}
			return p.print(report, func(t *table) {
				t.fact("VERSION", report.Version)
				t.fact("REVISION", report.Revision)
				t.fact("GO", report.Go)
				t.fact("CATALOGUE", report.Catalogue)
			})
		},
	}
}

func revision() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	for _, setting := range info.Settings {
		if setting.Key == "vcs.revision" {
			return setting.Value
		}
	}
	return ""
}
