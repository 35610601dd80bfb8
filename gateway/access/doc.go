// Package access says who a request comes from and what they may do: roles per
// environment, from a session in a browser or a token in a header.
package access
