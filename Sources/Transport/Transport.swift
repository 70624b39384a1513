// The one way out: every request to another machine passes its address, size, time and redirect rules.
