package console

// guest is a person who came with the link of a connect session, and has not signed in.
type guest struct{}
