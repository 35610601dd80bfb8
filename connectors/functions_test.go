package connectors

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
)

func textOf(t testing.TB, e Expression, values map[string]string) string {
	t.Helper()
	text, err := e.text(from(values))
	if err != nil {
		t.Fatalf("%s: %v", e, err)
	}
	return text
}

// The hashes of "abc" (FIPS 180-4, RFC 1321) and the MACs of RFC 2202 and RFC 4231, test case 2.
func TestFunctions(t *testing.T) {
	values := map[string]string{"jefe": "Jefe", "question": "what do ya want for nothing?", "key": "abc-us21", "pair": "u:p"}
	for e, want := range map[Expression]string{
		`hex(md5("abc"))`:                                                 "900150983cd24fb0d6963f7d28e17f72",
		`hex(sha1("abc"))`:                                                "a9993e364706816aba3e25717850c26c9cd0d89d",
		`hex(sha256("abc"))`:                                              "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
		`hex(sha512("abc"))`:                                              "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
		`hex(hmac_sha1(jefe, question))`:                                  "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79",
		`hex(hmac_sha256(jefe, question))`:                                "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
		`hex(hmac_sha512(jefe, question))`:                                "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea2505549758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737",
		`hex(hmac_sha256(sha256("a"), bytes("b")))`:                       macOf(sumOf("a"), "b"),
		`base64(pair)`:                                                    "dTpw",
		`base64(b"\xfb\xff\xfe")`:                                         "+//+",
		`base64url(b"\xfb\xff\xfe\xff")`:                                  "-__-_w",
		`hex(unbase64("-__-_w"))`:                                         "fbfffeff",
		`hex(unbase64("+//+/w=="))`:                                       "fbfffeff",
		`base64(unhex("FBffFe"))`:                                         "+//+",
		`hex(hmac_sha256(unhex(hex("Jefe")), question))`:                  "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
		`to_json(pair + "\"<\n")`:                                         `"u:p\"<\n"`,
		`to_json({"b": [1, true, null, 1.5], "a": {"c": key}})`:           `{"a":{"c":"abc-us21"},"b":[1,true,null,1.5]}`,
		`to_json(parse_json("{\"n\":1795348860,\"t\":\"x\"}"))`:           `{"n":1795348860,"t":"x"}`,
		`to_json(missing)`:                                                `""`,
		`string(unbase64("dTpw"))`:                                        "u:p",
		`key.split("-")[1]`:                                               "us21",
		`key.upperAscii().replace("ABC", "x")`:                            "x-US21",
		`missing`:                                                         "",
		`missing == "" ? "none" : "some"`:                                 "none",
		`jwt_claims("e30.eyJleHAiOjE3OTUzNDg4NjAsImEiOiJiIn0.").a`:        "b",
		`int(jwt_claims("e30.eyJleHAiOjE3OTUzNDg4NjAsImEiOiJiIn0.").exp)`: "1795348860",
		`parse_json("{\"a\":[1,{\"b\":1795348860}]}").a[1].b`:             "1795348860",
		`parse_json("{\"id\":12345678901234567890}").id`:                  "12345678901234567890",
		`1.5`:                               "1.5",
		`10000000.0 * 1000.0`:               "10000000000",
		`string(size(hex(random(7))))`:      "14",
		`[1,2].map(x, string(x)).join("+")`: "1+2",
		`true`:                              "true",
	} {
		if got := textOf(t, e, values); got != want {
			t.Errorf("%s: %s", e, got)
		}
	}
	if a, b := textOf(t, `hex(random(16))`, nil), textOf(t, `hex(random(16))`, nil); a == b {
		t.Error("random repeats itself")
	}
	if _, err := uuid.Parse(textOf(t, `uuid()`, nil)); err != nil {
		t.Error(err)
	}
	if now, err := strconv.ParseInt(textOf(t, `int(now())`, nil), 10, 64); err != nil || time.Since(time.Unix(now, 0)) > time.Minute {
		t.Error(now, err)
	}
}

func sumOf(text string) []byte { sum := sha256.Sum256([]byte(text)); return sum[:] }

func macOf(key []byte, text string) string {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(text))
	return hex.EncodeToString(mac.Sum(nil))
}

func TestFunctionsRefuse(t *testing.T) {
	values := map[string]string{"big": strings.Repeat("x", maxSecret), "key": "CANARY"}
	for _, e := range []Expression{
		`hex(random(0))`, `hex(random(1025))`, `hex(random("x"))`, `sha256(1)`, `hmac_sha1("k", 1)`, `sha256("raw bytes are no text")`, `random(4)`,
		`unbase64("!")`, `jwt_claims("a.b")`, `parse_json("{")`, `spki_sha256("x")`, `key.split("-")[1]`, `[1, 2]`, `{"a": 1}`, `now()`,
		`big + big + big`,
		`[1,2,3,4,5,6,7,8,9,10].map(a, [1,2,3,4,5,6,7,8,9,10].map(b, [1,2,3,4,5,6,7,8,9,10].map(c, [1,2,3,4,5,6,7,8,9,10].map(d, [1,2,3,4,5,6,7,8,9,10].map(e, a))))).size()`,
		`nothing(key)`, `key.nothing`, `1 +`, `hmac_md5("a", "b")`,
	} {
		before := time.Now()
		if text, err := e.text(from(values)); err == nil || strings.Contains(err.Error(), "CANARY") {
			t.Errorf("%s: %q %v", e, text, err)
		}
		if took := time.Since(before); took > 5*time.Second {
			t.Errorf("%s took %v", e, took)
		}
	}
	if _, err := Expression(`sha256(a)`).eval(from(map[string]string{"a": strings.Repeat("x", maxComputed+1)})); err == nil {
		t.Error("a value of any size is taken")
	}
	small, big := &answer{body: strings.Repeat("x", maxData)}, &answer{body: strings.Repeat("x", maxData+1)}
	if p := Predicate(`hex(sha256(body)) != ""`); !p.holds(small) || p.holds(big) {
		t.Error("a function takes data of any size, or of none")
	}
}

func TestSPKI(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	public, _ := x509.MarshalPKIXPublicKey(&key.PublicKey)
	pkcs8, _ := x509.MarshalPKCS8PrivateKey(key)
	sec1, _ := x509.MarshalECPrivateKey(key)
	sum := sha256.Sum256(public)
	want := base64.StdEncoding.EncodeToString(sum[:])
	for kind, der := range map[string][]byte{"PUBLIC KEY": public, "PRIVATE KEY": pkcs8, "EC PRIVATE KEY": sec1} {
		text := string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
		if got := textOf(t, `spki_sha256(key)`, map[string]string{"key": text}); got != want {
			t.Errorf("%s: %s", kind, got)
		}
	}
}

func TestComputedInOrder(t *testing.T) {
	out, err := computed([]Computed{{"a", `x + "1"`}, {"b", `a + a`}, {"x", `"over" + b`}, {"c", `x`}}, from(map[string]string{"x": "v"}))
	if err != nil || out["b"] != "v1v1" || out["c"] != "overv1v1" {
		t.Errorf("%v %v", out, err)
	}
	if _, err = computed([]Computed{{"broken", `x.split("-")[3]`}}, from(map[string]string{"x": "CANARY"})); err == nil || !strings.HasPrefix(err.Error(), "broken: ") || strings.Contains(err.Error(), "CANARY") {
		t.Errorf("%v", err)
	}
}
