package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// axeFile is what looks for accessibility issues; make installs it.
const axeFile = "axe/node_modules/axe-core/axe.min.js"

// tab is a person at a real browser: a window of its own, with its own cookies.
type tab struct {
	t   *testing.T
	ctx context.Context

	mu sync.Mutex
	// errors are what scripts of the pages threw or complained of.
	errors []string
}

// chromium is the browser's program. A machine without one fails the tests, unless
// CONNECTED_APPS_NO_BROWSER says that it is meant to have none.
func chromium(t *testing.T) string {
	t.Helper()
	if os.Getenv("CONNECTED_APPS_NO_BROWSER") != "" {
		t.Skip("CONNECTED_APPS_NO_BROWSER is set")
	}
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	t.Fatal("there is no Chromium; install it (Debian's package chromium), or set CONNECTED_APPS_NO_BROWSER=1")
	return ""
}

// newTab opens a browser of its own.
func newTab(t *testing.T) *tab {
	t.Helper()
	path := chromium(t)
	allocated, stop := chromedp.NewExecAllocator(t.Context(), chromedp.ExecPath(path), chromedp.Headless, chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.NoFirstRun, chromedp.NoDefaultBrowserCheck, chromedp.WindowSize(1280, 900), chromedp.UserDataDir(t.TempDir()),
		chromedp.Flag("disable-background-networking", true), chromedp.Flag("disable-component-update", true),
		chromedp.Flag("disable-sync", true), chromedp.Flag("disable-quic", true), chromedp.Flag("disable-dev-shm-usage", true))
	t.Cleanup(stop)
	b := &tab{t: t}
	ctx, cancel := chromedp.NewContext(allocated)
	t.Cleanup(cancel)
	b.ctx = ctx
	return b.begin()
}

// another opens a second tab of the same browser: the same cookies.
func (b *tab) another() *tab {
	b.t.Helper()
	ctx, cancel := chromedp.NewContext(b.ctx)
	b.t.Cleanup(cancel)
	return (&tab{t: b.t, ctx: ctx}).begin()
}

// begin opens the tab, whose life is that of the context which it is opened with, and
// listens to what its pages complain of.
func (b *tab) begin() *tab {
	b.t.Helper()
	if err := chromedp.Do(b.ctx, chromedp.EmulateViewport(1280, 900)); err != nil {
		b.t.Fatal(err)
	}
	go func() {
		for message, err := range chromedp.Console(b.ctx) {
			if err != nil {
				return
			}
			if message.IsException() || strings.Contains(message.String(), "Content Security Policy") {
				b.mu.Lock()
				b.errors = append(b.errors, message.String())
				b.mu.Unlock()
			}
		}
	}()
	return b
}

func (b *tab) do(steps ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, 60*time.Second)
	defer cancel()
	if err := chromedp.Do(ctx, steps...); err != nil {
		b.t.Fatalf("%v\nat %s:\n%s", err, b.at(), b.text())
	}
}

// eval evaluates an expression in the page. A page that is being left is asked again.
func eval[T any](b *tab, expression string) T {
	b.t.Helper()
	var value T
	var err error
	for range 50 {
		ctx, cancel := context.WithTimeout(b.ctx, 20*time.Second)
		value, err = chromedp.Run(ctx, chromedp.Evaluate[T](expression))
		cancel()
		if err == nil {
			return value
		}
		time.Sleep(100 * time.Millisecond)
	}
	b.t.Fatalf("%s: %v", shortened(expression), err)
	return value
}

func shortened(text string) string {
	if len(text) > 200 {
		return text[:200] + "…"
	}
	return text
}

// open goes to an address, or to a path of the gateway.
func (b *tab) open(address string) {
	b.t.Helper()
	if strings.HasPrefix(address, "/") {
		address = s.ready.Gateway + address
	}
	b.do(chromedp.Navigate(address))
}

func (b *tab) at() string {
	ctx, cancel := context.WithTimeout(b.ctx, 5*time.Second)
	defer cancel()
	location, _ := chromedp.Run(ctx, chromedp.Location())
	return location
}

func (b *tab) text() string {
	ctx, cancel := context.WithTimeout(b.ctx, 5*time.Second)
	defer cancel()
	text, _ := chromedp.Run(ctx, chromedp.Evaluate[string]("document.body ? document.body.innerText : ''"))
	return text
}

// see waits until the page shows a text.
func (b *tab) see(text string) {
	b.t.Helper()
	b.until(fmt.Sprintf("%q is shown", text), func() bool { return strings.Contains(b.text(), text) })
}

// until waits for something of the page.
func (b *tab) until(what string, true func() bool) {
	b.t.Helper()
	for deadline := time.Now().Add(45 * time.Second); !true(); time.Sleep(100 * time.Millisecond) {
		if time.Now().After(deadline) {
			b.shot("failed-" + b.t.Name())
			b.t.Fatalf("not within 45 s: %s\nat %s:\n%s", what, b.at(), b.text())
		}
	}
}

// find marks the element that a person means: a control by its label, a button or a
// link by its words, and answers whether there is one that can be seen and used.
const find = `((kind, words) => {
  document.querySelectorAll("[data-meant]").forEach(e => e.removeAttribute("data-meant"));
  const said = e => (e.getAttribute("aria-label") || e.innerText || e.value || "").trim().replace(/\s+/g, " ");
  const usable = e => e && !e.disabled && e.getClientRects().length > 0;
  const fits = text => text === words || text.startsWith(words);
  let found = null;
  if (kind === "press") {
    const all = [...document.querySelectorAll("button, a, summary, input[type=submit]")].filter(usable);
    found = all.find(e => said(e) === words) || all.find(e => fits(said(e)));
  } else {
    const labels = [...document.querySelectorAll("label")].filter(l => fits(said(l)));
    const exact = labels.filter(l => (l.firstChild?.textContent || "").trim() === words || said(l) === words);
    for (const l of [...exact, ...labels]) {
      const c = l.control || l.querySelector("input, select, textarea");
      if (usable(c) || usable(l) && c && !c.disabled) { found = c.getClientRects().length ? c : l; break; }
    }
    found = found || [...document.querySelectorAll("input, select, textarea")].filter(usable).find(e => fits(e.getAttribute("aria-label") || ""));
  }
  if (!found) return "";
  found.setAttribute("data-meant", "");
  found.scrollIntoView({block: "center"});
  return found.tagName + ":" + (found.type || "");
})`

func (b *tab) meant(kind, words string) string {
	b.t.Helper()
	quoted, _ := json.Marshal(words)
	found := ""
	b.until(kind+" "+words, func() bool {
		found = eval[string](b, fmt.Sprintf("%s(%q, %s)", find, kind, quoted))
		return found != ""
	})
	return found
}

// with finds what a person means and does something with it. A part of the page that
// is replaced meanwhile is looked for again, as a person would.
func (b *tab) with(kind, words string, steps ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	var err error
	for range 10 {
		b.meant(kind, words)
		ctx, cancel := context.WithTimeout(b.ctx, 4*time.Second)
		err = chromedp.Do(ctx, steps...)
		cancel()
		if err == nil {
			return
		}
	}
	b.t.Fatalf("%s %s: %v\nat %s:\n%s", kind, words, err, b.at(), b.text())
}

// press clicks the button or the link with these words.
func (b *tab) press(words string) {
	b.t.Helper()
	b.with("press", words, chromedp.Click("[data-meant]"))
}

// fill types into the field with this label, in place of what it holds.
func (b *tab) fill(label, text string) {
	b.t.Helper()
	b.with("field", label, chromedp.Clear("[data-meant]"), chromedp.SendKeys("[data-meant]", text))
}

// choose ticks the box, or picks the option of a selection, with this label.
func (b *tab) choose(label, option string) {
	b.t.Helper()
	kind := b.meant("field", label)
	if !strings.HasPrefix(kind, "SELECT") {
		b.with("field", label, chromedp.Click("[data-meant]"))
		return
	}
	quoted, _ := json.Marshal(option)
	chosen := eval[bool](b, fmt.Sprintf(`(() => { const s = document.querySelector("[data-meant]");
		const o = [...s.options].find(o => o.text.trim() === %s || o.value === %s); if (!o) return false;
		s.value = o.value; s.dispatchEvent(new Event("input", {bubbles: true})); s.dispatchEvent(new Event("change", {bubbles: true})); return true; })()`, quoted, quoted))
	if !chosen {
		b.t.Fatalf("%s offers no %q", label, option)
	}
}

// shot keeps a picture of the window among the artefacts.
func (b *tab) shot(name string) {
	ctx, cancel := context.WithTimeout(b.ctx, 20*time.Second)
	defer cancel()
	picture, err := chromedp.Run(ctx, chromedp.CaptureScreenshot())
	if err != nil {
		b.t.Log("no picture:", err)
		return
	}
	directory := os.Getenv("CONNECTED_APPS_ARTEFACTS")
	if directory == "" {
		directory = "artefacts"
	}
	name = strings.Map(func(r rune) rune {
		if r == '/' || r == ' ' {
			return '-'
		}
		return r
	}, name)
	if err := os.MkdirAll(directory, 0o755); err == nil {
		err = os.WriteFile(filepath.Join(directory, name+".png"), picture, 0o644)
	}
	if err != nil {
		b.t.Log("no picture:", err)
	}
}

// phone and desktop change the window's size; dark and light the person's preference.
func (b *tab) phone()   { b.do(chromedp.EmulateViewport(390, 844)) }
func (b *tab) desktop() { b.do(chromedp.EmulateViewport(1280, 900)) }

func (b *tab) dark(on bool) {
	scheme := "light"
	if on {
		scheme = "dark"
	}
	b.do(chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
		_, err := chromedp.Call(ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
			Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}})
		return err
	}))
}

// accessible fails the test for each serious issue that axe-core finds on the page.
func (b *tab) accessible() {
	b.t.Helper()
	script, err := os.ReadFile(axeFile)
	if err != nil {
		b.t.Fatal("axe-core is not installed: make e2e/" + axeFile)
	}
	eval[bool](b, string(script)+"\n;true")
	ctx, cancel := context.WithTimeout(b.ctx, 60*time.Second)
	defer cancel()
	report, err := chromedp.Run(ctx, chromedp.Evaluate[string](`axe.run(document, {resultTypes: ["violations"]}).then(r => JSON.stringify(
		r.violations.filter(v => v.impact === "serious" || v.impact === "critical").map(v => v.id + ": " + v.help + " – " + v.nodes.map(n => n.html).join(" | "))))`,
		chromedp.EvalAwaitPromise))
	if err != nil {
		b.t.Fatal(err)
	}
	var found []string
	if err := json.Unmarshal([]byte(report), &found); err != nil {
		b.t.Fatal(err)
	}
	for _, issue := range found {
		b.t.Errorf("%s: %s", b.at(), issue)
	}
}

// quiet fails the test for what scripts or the content policy complained of.
func (b *tab) quiet() {
	b.t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, complaint := range b.errors {
		b.t.Error(complaint)
	}
}
