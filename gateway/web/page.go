package web

import (
	"bytes"
	"embed"
	"html/template"
	"io/fs"
	"net/http"

	"go.uber.org/zap"
)

//go:embed frame.html
var frame embed.FS

// Pages parses the *.html of a directory as pages within the frame of links and
// sign-in, "head" and "foot". They escape by context, so that names and providers'
// words stay text. A page that cannot be parsed panics, at the start.
func Pages(files fs.FS, directory string) *template.Template {
	return template.Must(template.Must(template.ParseFS(frame, "frame.html")).ParseFS(files, directory+"/*.html"))
}

// Render writes a page as a whole or, when the template fails, none of it.
func Render(w http.ResponseWriter, log *zap.Logger, pages *template.Template, status int, name string, data any) {
	var page bytes.Buffer
	if err := pages.ExecuteTemplate(&page, name, data); err != nil {
		log.Error("a page could not be built", zap.String("page", name), zap.Error(err))
		http.Error(w, "The page could not be built. An operator finds more in the gateway's log.", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(page.Bytes()) // the browser went away: nobody is left to tell
}
