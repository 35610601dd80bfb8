package vault

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"connectedapps/connection"

	"github.com/hashicorp/vault/api"
)

// kv is one KV version 2 mount. All paths are made of slugs and need no escaping.
type kv struct {
	client *Client
	mount  string
}

// entry is one stored value with what Vault knows about it.
type entry struct {
	data    json.RawMessage
	version int
	created time.Time
	custom  map[string]string
	clock   connection.Clock
}

// answer is the shape of KV version 2's read answer.
type answer struct {
	Data struct {
		Data     json.RawMessage `json:"data"`
		Metadata struct {
			Version        int               `json:"version"`
			CreatedTime    time.Time         `json:"created_time"`
			CustomMetadata map[string]string `json:"custom_metadata"`
		} `json:"metadata"`
	} `json:"data"`
}

func (k kv) read(ctx context.Context, path string) (entry, error) {
	var found entry
	err := k.client.do(ctx, func(ctx context.Context) error {
		response, err := k.client.api.Logical().ReadRawWithContext(ctx, k.mount+"/data/"+path)
		if response != nil {
			defer func() { _ = response.Body.Close() }()
		}
		if err != nil {
			return err
		}
		var body answer
		if err := json.NewDecoder(response.Body).Decode(&body); err != nil {
			return connection.VaultUnavailable("Vault's answer was cut short")
		}
		if body.Data.Metadata.Version == 0 {
			return connection.VaultUnavailable("Vault's answer is not a stored entry")
		}
		if len(body.Data.Data) == 0 || string(body.Data.Data) == "null" {
			return connection.ErrAbsent
		}
		clock, err := clockOf(response)
		if err != nil {
			return err
		}
		meta := body.Data.Metadata
		found = entry{data: body.Data.Data, version: meta.Version, created: meta.CreatedTime,
			custom: meta.CustomMetadata, clock: clock}
		return nil
	})
	return found, err
}

// write stores data if the current version is still the given one; 0 means that
// nothing may be there yet. It answers the new version.
func (k kv) write(ctx context.Context, path string, data any, version int) (int, error) {
	body, err := json.Marshal(map[string]any{"data": data, "options": map[string]int{"cas": version}})
	if err != nil {
		return 0, connection.Internal("vault write")
	}
	stored := 0
	err = k.client.do(ctx, func(ctx context.Context) error {
		secret, err := k.client.api.Logical().WriteBytesWithContext(ctx, k.mount+"/data/"+path, body)
		if err != nil {
			return err
		}
		if secret != nil {
			if number, ok := secret.Data["version"].(json.Number); ok {
				count, _ := number.Int64()
				stored = int(count)
			}
		}
		if stored == 0 {
			return connection.VaultUnavailable("Vault answered a write without a version")
		}
		return nil
	})
	return stored, err
}

// destroy removes the value, every version and its metadata. What is not there is not an error.
func (k kv) destroy(ctx context.Context, path string) error {
	err := k.client.do(ctx, func(ctx context.Context) error {
		_, err := k.client.api.Logical().DeleteWithContext(ctx, k.mount+"/metadata/"+path)
		return err
	})
	if errors.Is(err, connection.ErrAbsent) {
		return nil
	}
	return err
}

// list names what is directly under a path; a name that ends in "/" is a folder.
func (k kv) list(ctx context.Context, path string) ([]string, error) {
	var names []string
	err := k.client.do(ctx, func(ctx context.Context) error {
		secret, err := k.client.api.Logical().ListWithContext(ctx, k.mount+"/metadata/"+path)
		if err != nil || secret == nil {
			return err
		}
		keys, _ := secret.Data["keys"].([]any)
		names = names[:0]
		for _, key := range keys {
			if name, ok := key.(string); ok {
				names = append(names, name)
			}
		}
		return nil
	})
	return names, err
}

// metadata is the soft side of an entry, with its clock; it holds no secret.
func (k kv) metadata(ctx context.Context, path string) (entry, error) {
	var found entry
	err := k.client.do(ctx, func(ctx context.Context) error {
		response, err := k.client.api.Logical().ReadRawWithContext(ctx, k.mount+"/metadata/"+path)
		if response != nil {
			defer func() { _ = response.Body.Close() }()
		}
		if err != nil {
			return err
		}
		var body struct {
			Data struct {
				CreatedTime    time.Time         `json:"created_time"`
				CurrentVersion int               `json:"current_version"`
				CustomMetadata map[string]string `json:"custom_metadata"`
			} `json:"data"`
		}
		if err := json.NewDecoder(response.Body).Decode(&body); err != nil {
			return connection.VaultUnavailable("Vault's answer was cut short")
		}
		clock, err := clockOf(response)
		if err != nil {
			return err
		}
		found = entry{version: body.Data.CurrentVersion, created: body.Data.CreatedTime,
			custom: body.Data.CustomMetadata, clock: clock}
		return nil
	})
	return found, err
}

// clockOf is the time at which Vault answered, to the second.
func clockOf(response *api.Response) (connection.Clock, error) {
	now, err := http.ParseTime(response.Header.Get("Date"))
	if err != nil {
		return connection.Clock{}, connection.VaultUnavailable("Vault's answer carries no date")
	}
	return connection.ClockAt(now), nil
}

// patch changes custom metadata: no new version is made, so no compare-and-set is disturbed.
func (k kv) patch(ctx context.Context, path string, custom map[string]any) error {
	return k.client.do(ctx, func(ctx context.Context) error {
		_, err := k.client.api.Logical().JSONMergePatch(ctx, k.mount+"/metadata/"+path,
			map[string]any{"custom_metadata": custom})
		return err
	})
}
