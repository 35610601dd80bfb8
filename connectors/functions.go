package connectors

import (
	"crypto"
	"crypto/hmac"
	"crypto/md5" // #nosec G501 -- providers still sign with it; nothing of ours relies on it
	"crypto/rand"
	"crypto/sha1" // #nosec G505 -- likewise
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"hash"
	"reflect"
	"strings"
	"time"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/ext"
	"github.com/google/uuid"
	"google.golang.org/protobuf/types/known/structpb"
)

const (
	// maxRandom bounds what random yields, in bytes.
	maxRandom = 1024
	// maxData bounds what a function takes, in bytes: more than any key or token
	// has, and nothing that would be felt.
	maxData = 1 << 20
)

// functions are what expressions may call, and nothing else: CEL's own, its
// string functions, and these. Each takes text or bytes where it takes data.
func functions() []cel.EnvOption {
	options := []cel.EnvOption{
		ext.Strings(),
		of1("base64", func(b []byte) ref.Val { return types.String(base64.StdEncoding.EncodeToString(b)) }),
		of1("base64url", func(b []byte) ref.Val { return types.String(base64.RawURLEncoding.EncodeToString(b)) }),
		of1("unbase64", unbase64),
		of1("hex", func(b []byte) ref.Val { return types.String(hex.EncodeToString(b)) }),
		of1("jwt_claims", func(b []byte) ref.Val { return jwtClaimsValue(string(b)) }),
		of1("parse_json", func(b []byte) ref.Val { return jsonValue(b) }),
		of1("unhex", unhex),
		cel.Function("to_json", cel.Overload("to_json_dyn", []*cel.Type{cel.DynType}, cel.StringType, cel.UnaryBinding(toJSON))),
		of1("spki_sha256", spkiSHA256),
		cel.Function("now", cel.Overload("now_", nil, cel.TimestampType,
			cel.FunctionBinding(func(...ref.Val) ref.Val { return types.Timestamp{Time: time.Now().UTC()} }))),
		cel.Function("uuid", cel.Overload("uuid_", nil, cel.StringType,
			cel.FunctionBinding(func(...ref.Val) ref.Val { return types.String(uuid.NewString()) }))),
		cel.Function("random", cel.Overload("random_int", []*cel.Type{cel.DynType}, cel.BytesType, cel.UnaryBinding(random))),
	}
	for name, of := range hashes {
		options = append(options, of1(name, func(b []byte) ref.Val {
			h := of()
			h.Write(b)
			return types.Bytes(h.Sum(nil))
		}))
		if name != "md5" {
			options = append(options, of2("hmac_"+name, func(key, data []byte) ref.Val {
				h := hmac.New(of, key)
				h.Write(data)
				return types.Bytes(h.Sum(nil))
			}))
		}
	}
	return options
}

var hashes = map[string]func() hash.Hash{"md5": md5.New, "sha1": sha1.New, "sha256": sha256.New, "sha512": sha512.New}

// of1 declares a function of one piece of data.
func of1(name string, call func([]byte) ref.Val) cel.EnvOption {
	return cel.Function(name, cel.Overload(name+"_dyn", []*cel.Type{cel.DynType}, cel.DynType,
		cel.UnaryBinding(func(value ref.Val) ref.Val {
			data, ok := bytesOf(value)
			if !ok {
				return types.NewErr("%s takes text or bytes", name)
			}
			if len(data) > maxData {
				return types.NewErr("%s takes %d bytes at most", name, maxData)
			}
			return call(data)
		})))
}

// of2 declares a function of a key and a piece of data.
func of2(name string, call func(key, data []byte) ref.Val) cel.EnvOption {
	return cel.Function(name, cel.Overload(name+"_dyn_dyn", []*cel.Type{cel.DynType, cel.DynType}, cel.DynType,
		cel.BinaryBinding(func(first, second ref.Val) ref.Val {
			key, ok := bytesOf(first)
			data, also := bytesOf(second)
			if !ok || !also {
				return types.NewErr("%s takes text or bytes", name)
			}
			if len(key) > maxData || len(data) > maxData {
				return types.NewErr("%s takes %d bytes at most", name, maxData)
			}
			return call(key, data)
		})))
}

// unbase64 reads either alphabet, with or without padding.
func unbase64(b []byte) ref.Val {
	text := strings.TrimRight(strings.NewReplacer("-", "+", "_", "/").Replace(string(b)), "=")
	out, err := base64.RawStdEncoding.DecodeString(text)
	if err != nil {
		return types.NewErr("unbase64: it is not base64")
	}
	return types.Bytes(out)
}

// unhex reads digits of either case.
func unhex(b []byte) ref.Val {
	out, err := hex.DecodeString(string(b))
	if err != nil {
		return types.NewErr("unhex: it is not hexadecimal")
	}
	return types.Bytes(out)
}

// toJSON writes a value as JSON, names in order and without spaces.
func toJSON(value ref.Val) ref.Val {
	native, err := value.ConvertToNative(reflect.TypeFor[*structpb.Value]())
	if err != nil {
		return types.NewErr("to_json: it cannot be written as JSON")
	}
	text, err := marshal(native.(*structpb.Value).AsInterface())
	if err != nil {
		return types.NewErr("to_json: it cannot be written as JSON")
	}
	return types.String(text)
}

func random(size ref.Val) ref.Val {
	n, ok := size.(types.Int)
	if !ok || n < 1 || n > maxRandom {
		return types.NewErr("random takes a number from 1 to %d", maxRandom)
	}
	out := make([]byte, n)
	_, _ = rand.Read(out) // never fails
	return types.Bytes(out)
}

// jwtClaims reads the claims of a JWT without checking who signed it: whoever
// calls this got the token from the provider itself. Nil for what is no JWT.
func jwtClaims(token string) map[string]any {
	parts := strings.Split(strings.TrimSpace(token), ".")
	if len(parts) != 3 {
		return nil
	}
	payload, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(parts[1], "="))
	if err != nil {
		return nil
	}
	claims, _ := decodeJSONObject(payload)
	return claims
}

func decodeJSONObject(text []byte) (map[string]any, bool) {
	value, err := decodeJSON(text)
	object, ok := value.(map[string]any)
	return object, err == nil && ok
}

func jwtClaimsValue(token string) ref.Val {
	claims := jwtClaims(token)
	if claims == nil {
		return types.NewErr("jwt_claims: it is not a JWT")
	}
	return types.DefaultTypeAdapter.NativeToValue(celValue(claims))
}

func jsonValue(text []byte) ref.Val {
	value, err := decodeJSON(text)
	if err != nil {
		return types.NewErr("parse_json: it is not JSON")
	}
	return types.DefaultTypeAdapter.NativeToValue(celValue(value))
}

// spkiSHA256 is the base64 of the SHA-256 of a key's public part in DER, as
// key pairs are identified by some providers.
func spkiSHA256(text []byte) ref.Val {
	block, _ := pem.Decode(text)
	if block == nil {
		return types.NewErr("spki_sha256: it is not PEM")
	}
	public, err := publicPart(block.Bytes)
	if err != nil {
		return types.NewErr("spki_sha256: it holds no key")
	}
	der, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		return types.NewErr("spki_sha256: it holds no key")
	}
	sum := sha256.Sum256(der)
	return types.String(base64.StdEncoding.EncodeToString(sum[:]))
}

// publicPart is the public key of a private or a public one.
func publicPart(der []byte) (crypto.PublicKey, error) {
	if key, err := x509.ParsePKCS8PrivateKey(der); err == nil {
		if signer, ok := key.(crypto.Signer); ok {
			return signer.Public(), nil
		}
	}
	if key, err := x509.ParsePKCS1PrivateKey(der); err == nil {
		return key.Public(), nil
	}
	if key, err := x509.ParseECPrivateKey(der); err == nil {
		return key.Public(), nil
	}
	return x509.ParsePKIXPublicKey(der)
}
