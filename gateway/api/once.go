package api

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"io"
	"net/http"
	"strconv"

	"connectedapps/gateway/access"
)

// printing begins the print of a request with an Idempotency-Key, and adds the body to
// it as that is read. It stands for who asks and for all that is asked, so that nobody
// is given the answer of another, or of another request.
//
// Update IDs are made of it, which everybody reads who may read Temporal, and the body
// may hold a one-time code or a short password: no plain hash of those may be there,
// nor one that is keyed with what may be guessed, as an Idempotency-Key may. So it is
// keyed with what the person has proven to be themselves by: their token, or their
// session. Neither is known to Temporal.
func printing(r *http.Request, person access.Person) hash.Hash {
	proof := r.Header.Get("Authorization")
	if proof == "" {
		proof = person.FormToken // a hash of the session's cookies, which are written at sign-in
	}
	print := hmac.New(sha256.New, []byte(proof))
	for _, part := range []string{person.Subject, r.Header.Get("Idempotency-Key"), r.Method, r.URL.EscapedPath(), r.URL.RawQuery} {
		_, _ = io.WriteString(print, strconv.Itoa(len(part))+":"+part) // a hash takes everything
	}
	r.Body = teed{io.TeeReader(r.Body, print), r.Body}
	return print
}

// teed is a body that is read along.
type teed struct {
	io.Reader
	io.Closer
}

// printOf is the print of a request whose body has been read; "" without a key.
func printOf(ctx context.Context) string {
	x, _ := ctx.Value(requestKey{}).(exchange)
	if x.print == nil {
		return ""
	}
	return hex.EncodeToString(x.print.Sum(nil))
}
