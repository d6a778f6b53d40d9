# layers.awk - an #include may only point downward, by the order in ARCHITECTURE.md.
# awk -f layers.awk $(find src -name '*.[ch]'); run by every build.
BEGIN {
	levels = split("base/wire init dns proxy/oci/storage/network image runtime/monitor runtime_cli/engine/build system kube/cli", line, "/")
	for (i = 1; i <= levels; i++)
		for (n = split(line[i], peer, " "); n > 0; n--)
			level[peer[n]] = i
	apart["monitor network"] = apart["monitor image"] = 1
	apart["runtime_cli network"] = apart["runtime_cli image"] = apart["runtime_cli storage"] = 1
	apart["engine runtime_cli"] = apart["cli runtime_cli"] = 1
}

/^[ \t]*#[ \t]*include[ \t]*"/ {
	n = split(FILENAME, part, "/")
	own = part[n - 1]
	split($0, quoted, "\"")
	folder = quoted[2]
	if (!sub("/.*", "", folder) || !(folder in level))
		wrong = "no folder of src/ in front"
	else if (!(own in level))
		wrong = own "/ has no place in the order"
	else if (folder != own && (level[folder] >= level[own] || (own " " folder) in apart))
		wrong = own "/ may not see " folder "/"
	if (wrong) {
		printf "%s:%d: \"%s\": %s\n", FILENAME, FNR, quoted[2], wrong > "/dev/stderr"
		bad++
	}
	wrong = ""
}

END { exit bad != 0 }
