package console

import "testing"

func TestCodesForOnce(t *testing.T) {
	for name, want := range map[string]bool{"code": true, "otp": true, "one_time_code": true, "sms-code": true, "TOTP": true, "": false,
		"password": false, "pin": false, "code_word": false, "barcode": false} {
		if codeForOnce(name) != want {
			t.Errorf("%q: %v", name, !want)
		}
	}
	for pattern, want := range map[string]bool{"": true, "[0-9]{6}": true, `\d{6}`: true, "[0-9A-F]{8}": false, ".*": false, `\w+`: false} {
		if digitsOnly(pattern) != want {
			t.Errorf("%q: %v", pattern, !want)
		}
	}
}
