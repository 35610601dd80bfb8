package main

import (
	"fmt"

	"go.temporal.io/server/common/log"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// newLogger returns the server's logger, which writes JSON to standard error, and
// the means to quiet it for the stop. A stop in good order cuts off every long
// poll and every background query, and the server reports each as an error with
// a stack trace: a hundred kilobytes to say that nothing is wrong. At debug level
// quiet changes nothing.
func newLogger(level string) (logger log.Logger, quiet func(), err error) {
	threshold, err := zap.ParseAtomicLevel(level)
	if err != nil {
		return nil, nil, fmt.Errorf("--log-level: %w", err)
	}
	zl := log.BuildZapLogger(log.Config{Level: level}).WithOptions(zap.IncreaseLevel(threshold))
	quiet = func() {
		if level != "debug" {
			threshold.SetLevel(zapcore.PanicLevel)
		}
	}
	return log.NewZapLogger(zl), quiet, nil
}
