package debian

import (
	"slices"
	"testing"
)

func TestUpstream(t *testing.T) {
	for version, want := range map[string]string{
		"7.3.4-1~bpo13+1": "7.3.4",
		"6.1.176-1":       "6.1.176",
		"7.3-1~exp1":      "7.3",
		"7.4~rc1-1~exp1":  "", // not a release
		"2:1.0-1":         "",
	} {
		if got := upstream(version); got != want {
			t.Errorf("upstream(%q) = %q, want %q", version, got, want)
		}
	}
}

func TestCompareOrdersByNumber(t *testing.T) {
	got := []string{"6.12.9", "7.0", "6.9", "6.12.10", "6.12"}
	slices.SortFunc(got, Compare)
	if want := []string{"6.9", "6.12", "6.12.9", "6.12.10", "7.0"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestMatches(t *testing.T) {
	tests := []struct {
		version, release string
		want             bool
	}{
		{"7.3.4", "", true},
		{"7.3.4", "7.3", true},
		{"7.3.4", "7.3.4", true},
		{"7.3", "7.3", true},
		{"7.3.4", "7.3.40", false},
		{"6.12.1", "6.1", false},
	}
	for _, tt := range tests {
		if got := Matches(tt.version, tt.release); got != tt.want {
			t.Errorf("Matches(%q, %q) = %v, want %v", tt.version, tt.release, got, tt.want)
		}
	}
}
