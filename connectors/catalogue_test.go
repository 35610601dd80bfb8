package connectors

import (
	"testing"
	"time"
)

func TestCatalogueIsSound(t *testing.T) {
	apps, defects := ValidateDir("catalog")
	for _, defect := range defects {
		t.Error(defect)
	}
	if len(apps) < 8 {
		t.Errorf("%d apps", len(apps))
	}
}

func TestLoadIsFast(t *testing.T) {
	start := time.Now()
	if _, err := Load(); err != nil {
		t.Fatal(err)
	}
	t.Log(time.Since(start))
	start = time.Now()
	ValidateDir("catalog")
	t.Log(time.Since(start))
	start = time.Now()
	ValidateDir("catalog")
	t.Log(time.Since(start))
}
