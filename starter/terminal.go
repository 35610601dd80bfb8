package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strings"

	"connectedapps/connection"

	"golang.org/x/term"
)

// interactive reports whether somebody is there to answer a question.
func (p *program) interactive() bool { return terminal(p.in) }

// terminal reports whether a stream of the program is one.
func terminal(stream any) bool {
	file, ok := stream.(*os.File)
	return ok && term.IsTerminal(int(file.Fd())) //nolint:gosec // a descriptor fits
}

// askSecret asks without echo. Ctrl-C gives the terminal its echo back.
func (p *program) askSecret(ctx context.Context, prompt string) (connection.Secret, error) {
	file, ok := p.in.(*os.File)
	if !ok {
		return connection.Secret{}, errors.New("there is no terminal to ask on")
	}
	fd := int(file.Fd()) //nolint:gosec // a descriptor fits
	before, err := term.GetState(fd)
	if err != nil {
		return connection.Secret{}, err
	}
	fmt.Fprint(p.errOut, clean(prompt)+" (not shown): ")
	text, err := await(ctx, func() ([]byte, error) { return term.ReadPassword(fd) })
	fmt.Fprintln(p.errOut)
	if err != nil {
		_ = term.Restore(fd, before) // the question is over either way
		return connection.Secret{}, err
	}
	return connection.NewSecret(string(text)), nil
}

// ask asks for a line; an empty answer is the proposal.
func (p *program) ask(ctx context.Context, prompt, proposal string) (string, error) {
	if proposal != "" {
		prompt += " [" + proposal + "]"
	}
	fmt.Fprint(p.errOut, clean(prompt)+": ")
	if p.lines == nil {
		p.lines = bufio.NewReader(p.in)
	}
	line, err := await(ctx, func() (string, error) { return p.lines.ReadString('\n') })
	if err != nil && !errors.Is(err, io.EOF) {
		return "", err
	}
	if line = strings.TrimSpace(line); line == "" {
		return proposal, nil
	}
	return line, nil
}

// confirm asks for yes or no; proposal is what an empty answer means.
func (p *program) confirm(ctx context.Context, question string, proposal bool) (bool, error) {
	choice := "y/N"
	if proposal {
		choice = "Y/n"
	}
	answer, err := p.ask(ctx, question+" ["+choice+"]", "")
	switch strings.ToLower(answer) {
	case "":
		return proposal, err
	case "y", "yes":
		return true, err
	default:
		return false, err
	}
}

// await answers what is read, unless the context ends first.
func await[T any](ctx context.Context, read func() (T, error)) (T, error) {
	type result struct {
		value T
		err   error
	}
	came := make(chan result, 1)
	go func() {
		value, err := read()
		came <- result{value, err}
	}()
	select {
	case r := <-came:
		return r.value, r.err
	case <-ctx.Done():
		var none T
		return none, ctx.Err()
	}
}

// browse opens a URL in the person's browser; where that fails, they have the link.
func (p *program) browse(ctx context.Context, url string) {
	opener := "xdg-open"
	if runtime.GOOS == "darwin" {
		opener = "open"
	}
	if err := exec.CommandContext(ctx, opener, url).Start(); err != nil { //nolint:gosec // our own link, as one argument
		p.note("The browser could not be opened (%s is missing). Open the link yourself.", opener)
	}
}
