package vault

import (
	"encoding/json"
	"fmt"
	"reflect"
	"testing"
	"time"

	"connectedapps/connection"
)

// filled sets every field of a value, however deep, to something of its own: a
// field that is added and forgotten in the stored form is noticed here.
func filled(v reflect.Value, n *int) {
	*n++
	switch at := v.Addr().Interface().(type) {
	case *connection.Secret:
		*at = connection.NewSecret(fmt.Sprintf("secret-%d", *n))
		return
	case *time.Time:
		*at = time.Date(2026, 1, 1, 0, 0, *n, *n, time.UTC)
		return
	case *time.Duration:
		*at = time.Duration(*n) * time.Second
		return
	}
	//exhaustive:ignore
	switch v.Kind() {
	case reflect.String:
		v.SetString(fmt.Sprintf("text-%d", *n))
	case reflect.Int:
		v.SetInt(int64(*n))
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		filled(v.Elem(), n)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		for i := range 2 {
			filled(v.Index(i), n)
		}
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		for i := range 2 {
			value := reflect.New(v.Type().Elem()).Elem()
			filled(value, n)
			v.SetMapIndex(reflect.ValueOf(fmt.Sprintf("key-%d", i)).Convert(v.Type().Key()), value)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			filled(v.Field(i), n)
		}
	default:
		panic("a kind that is not covered: " + v.Kind().String())
	}
}

// through is a value on its way into Vault and out again.
func through[Stored, T any](t *testing.T, in T, encode func(T) Stored, decode func(Stored) T) T {
	t.Helper()
	text, err := json.Marshal(encode(in))
	if err != nil {
		t.Fatal(err)
	}
	var stored Stored
	if err := json.Unmarshal(text, &stored); err != nil {
		t.Fatal(err)
	}
	return decode(stored)
}

func roundTrip[Stored, T any](t *testing.T, encode func(T) Stored, decode func(Stored) T) {
	t.Helper()
	var full, empty T
	n := 0
	filled(reflect.ValueOf(&full).Elem(), &n)
	for _, in := range []T{full, empty} {
		if out := through(t, in, encode, decode); !reflect.DeepEqual(in, out) {
			t.Errorf("%T is not what it was", in)
			for i := range reflect.TypeFor[T]().NumField() {
				if a, b := reflect.ValueOf(in).Field(i), reflect.ValueOf(out).Field(i); !reflect.DeepEqual(a.Interface(), b.Interface()) {
					t.Errorf("%s: %+v became %+v", reflect.TypeFor[T]().Field(i).Name, a, b)
				}
			}
		}
	}
}

func TestNothingIsLostInVault(t *testing.T) {
	roundTrip(t, encodeDocument, storedDocument.decode)
	roundTrip(t, encodeAuthConfig, storedAuthConfig.decode)
	roundTrip(t, encodeAttempt, storedAttempt.decode)
	roundTrip(t, encodeSink, storedSink.decode)
}
