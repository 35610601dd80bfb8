package console

import (
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
)

func TestPagesHaveAnIcon(t *testing.T) {
	link := regexp.MustCompile(`<link rel="icon" type="image/svg\+xml" href="(/assets/icon\.[0-9a-f]+\.svg)">`).FindStringSubmatch(newDesk(t).get("/connections"))
	if link == nil {
		t.Fatal("the page has no icon")
	}
	w := httptest.NewRecorder()
	Assets(w, httptest.NewRequest(http.MethodGet, link[1], http.NoBody))
	if kind := w.Header().Get("Content-Type"); w.Code != http.StatusOK || kind != "image/svg+xml" || !strings.HasPrefix(w.Body.String(), "<svg ") {
		t.Errorf("%d, %s", w.Code, kind)
	}
}
