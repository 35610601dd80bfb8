package web_test

import (
	"testing"

	"connectedapps/gateway/web"
)

func TestSentence(t *testing.T) {
	for text, want := range map[string]string{
		"":                                   "",
		" there is no such app ":             "There is no such app.",
		"is it there?":                       "Is it there?",
		"the app said: invalid_gr…":          "The app said: invalid_gr…",
		"development/sandbox/demo is paused": "development/sandbox/demo is paused.",
		"https://app.example is away":        "https://app.example is away.",
		"über":                               "Über.",
	} {
		if got := web.Sentence(text); got != want {
			t.Errorf("%q became %q, want %q", text, got, want)
		}
	}
}
