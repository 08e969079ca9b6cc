package main

// pictures are all there are. What they show are benchmarks of linux/
// figures_bench_test.go and bench_test.go, and of gen/figures_bench_test.go.
var pictures = []picture{
	{
		name:   "spawn",
		title:  "Starting a child and waiting for it",
		detail: "10th percentile of 2,000, whiskers to the median; a static program that ends at once. Shorter is better.",
		height: 330,
		panels: []panel{{
			share: 1, axis: "microseconds, and times as long as the bound",
			bound: &bound{"clone3 and waitid in C, the bound:", "FigureSpawn/c-clone3", "p10-us", 1},
			bars: []bar{
				spawn("linux.Clone3", ours, "clone3"),
				spawn("linux/exec", ours, "linux-exec"),
				spawn("posix_spawn in C", inC, "c-posix_spawn"),
				spawn("os.StartProcess", golang, "StartProcess"),
				spawn("os/exec", golang, "os-exec"),
			},
		}},
	},
	{
		name:   "gc",
		title:  "What a garbage collection takes while children are started",
		detail: "Median of runtime.GC, beside 8 goroutines that start children without a break. Shorter is better.",
		height: 240,
		panels: []panel{{
			share: 1, axis: "milliseconds",
			bars: []bar{
				{label: "no child is started", series: inC, benchmark: "GCPauseUnderSpawn/nothing", unit: "p50-us", scale: 1e-3},
				{label: "linux.Clone3", series: ours, benchmark: "GCPauseUnderSpawn/clone3", unit: "p50-us", scale: 1e-3},
				{label: "os.StartProcess", series: golang, benchmark: "GCPauseUnderSpawn/StartProcess", unit: "p50-us", scale: 1e-3},
			},
		}},
	},
	{
		name:   "waiters",
		title:  "Waiting for many children at once",
		detail: "A goroutine waits for each child, all of which sleep. Less is better.",
		height: 320,
		panels: []panel{
			{title: "Threads of the program", share: 1, axis: "threads", along: "children waited for", lines: waiters("threads")},
			{title: "Its memory", share: 1, axis: "MB, resident", along: "children waited for", lines: waiters("MB")},
		},
	},
	{
		name:   "heap",
		title:  "Starting a child from a program that is large",
		detail: "10th percentile, until the status of a child that ends at once is known. Less is better.",
		height: 340,
		panels: []panel{
			{title: "Heap, and a new user namespace for the child", share: 1, axis: "milliseconds", along: "GiB in use", lines: []line{
				{"linux.Clone3", ours, "FigureHeap/clone3-user", []float64{0, 1, 2, 4}, "p10-us", 1e-3},
				{"os/exec", golang, "FigureHeap/os-exec-user", []float64{0, 1, 2, 4}, "p10-us", 1e-3},
			}},
			{title: "Open descriptors", share: 1, axis: "microseconds", along: "descriptors", lines: []line{
				{"linux.Clone3", ours, "FigureDescriptors/clone3", descriptors, "p10-us", 1},
				{"clone3 in C", inC, "FigureDescriptors/c-clone3", descriptors, "p10-us", 1},
				{"os/exec", golang, "FigureDescriptors/os-exec", descriptors, "p10-us", 1},
			}},
		},
	},
	{
		name:   "confined",
		title:  "Starting a child that is confined",
		detail: "10th percentile, whiskers to the median; a static program that ends at once. Shorter is better.",
		height: 340,
		panels: []panel{
			{title: "What each step takes", share: 1.1, axis: "microseconds", bars: []bar{
				confined("linux.Clone3", ours, "plain", 1),
				confined("+ NoNewPrivs", ours, "nonewprivs", 1),
				confined("+ Landlock", ours, "landlock", 1),
				confined("+ seccomp alone", ours, "seccomp", 1),
				confined("+ both", ours, "both", 1),
				confined("os/exec, not confined", golang, "os-exec", 1),
			}},
			{title: "Beside a helper in Go that confines itself", share: 1, axis: "milliseconds", bars: []bar{
				confined("linux.Clone3, both", ours, "both", 1e-3),
				confined("os/exec, helper", golang, "os-exec-helper", 1e-3),
			}},
		},
	},
	{
		name:   "gen",
		title:  "Making bindings of the kernel's headers",
		detail: "Median of 7 for the headers of package uapi. Shorter is better.",
		height: 260,
		panels: []panel{{
			share: 1, axis: "milliseconds",
			bars: []bar{
				{label: "gen, amd64", series: ours, benchmark: "FigureGen/gen-amd64", unit: "p50-ms", scale: 1},
				{label: "gen, all 13 architectures", series: ours, benchmark: "FigureGen/gen-all", unit: "p50-ms", scale: 1},
				{label: "bindgen for Rust, amd64", series: between, benchmark: "FigureGen/bindgen-amd64", unit: "p50-ms", scale: 1, optional: true},
				{label: "cgo -godefs, amd64", series: golang, benchmark: "FigureGen/godefs-amd64", unit: "p50-ms", scale: 1, optional: true},
			},
		}},
	},
}

var descriptors = []float64{10, 100, 1000, 3000, 10000}

func spawn(label string, series int, name string) bar {
	return bar{label, series, "FigureSpawn/" + name, "p10-us", "p50-us", 1, false}
}

func confined(label string, series int, name string, scale float64) bar {
	return bar{label, series, "FigureConfined/" + name, "p10-us", "p50-us", scale, false}
}

func waiters(unit string) []line {
	at := []float64{100, 1000, 2500, 5000}
	return []line{
		{"linux.Clone3", ours, "Wait/clone3", at, unit, 1},
		{"os/exec", golang, "Wait/os-exec", at, unit, 1},
	}
}
