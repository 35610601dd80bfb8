package main

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"time"

	uiserver "github.com/temporalio/ui-server/v2/server"
	uiconfig "github.com/temporalio/ui-server/v2/server/config"
	uioptions "github.com/temporalio/ui-server/v2/server/server_options"
)

// startUI serves the Web UI and waits until it shows the namespaces. It must be
// called when the frontend answers: the UI connects once at birth and, refused,
// would answer "unavailable" for a second. The caller stops the returned server.
func startUI(ctx context.Context, o options) (*uiserver.Server, error) {
	ui := uiserver.NewServer(uioptions.WithConfigProvider(uiConfig(o)))
	go func() {
		// A listener that fails ends the process from within Start, which returns
		// an error for nothing but its configuration, read already above.
		_ = ui.Start()
	}()
	page := "http://" + o.address(o.uiPort) + "/api/v1/namespaces"
	if err := until(ctx, func() error { return answers(ctx, page) }); err != nil {
		ui.Stop()
		return nil, fmt.Errorf("the Web UI does not show the namespaces: %w", err)
	}
	return ui, nil
}

func uiConfig(o options) *uiconfig.Config {
	port := strconv.Itoa(o.uiPort)
	return &uiconfig.Config{
		TemporalGRPCAddress: o.address(o.port),
		Host:                o.ip,
		Port:                o.uiPort,
		EnableUI:            true,
		PublicPath:          "", // served at the root; any other value switches its content security policy off
		DefaultNamespace:    o.namespaces[0],
		DisableNewsFetch:    true,
		HideLogs:            true,
		CORS: uiconfig.CORS{
			// Both names people type for this machine; nobody else's pages.
			AllowOrigins: []string{"http://" + o.ip + ":" + port, "http://localhost:" + port},
			// Plain HTTP: a cookie marked secure might not come back, and without
			// it no button in the UI works.
			CookieInsecure: true,
		},
		// The pages ask by themselves, from the browser, and name the namespace in a header.
		Codec: uiconfig.Codec{Endpoint: o.codecEndpoint, IncludeCredentials: o.codecEndpoint != "",
			DefaultErrorMessage: "The payloads are sealed. Sign in to the console of Connected Apps in this browser, as an operator of the environment, and reload."},
	}
}

// answers reports whether url answers 200.
func answers(ctx context.Context, url string) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answers %s", url, response.Status)
	}
	return nil
}
