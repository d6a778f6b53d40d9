#!/usr/bin/env bats
# Other limits and another restart policy, for containers that run and for those that do not.
load holm

@test "update changes the limits of a container that runs, is paused, or is stopped" {
	holm run -d --name web -m 64m busybox sleep 1000 >/dev/null
	expect 0 holm update -m 128m --memory-swap 256m --pids-limit 77 --cpu-shares 300 web
	output_is web
	[ "$(limit web memory.max memory/memory.limit_in_bytes)" = $((128 << 20)) ]
	[ "$(limit web pids.max pids/pids.max)" = 77 ]
	cgroup_v2 || [ "$(limit web - cpu/cpu.shares)" = 300 ]
	expect 0 holm inspect web --format \
		'{{.HostConfig.Memory}} {{.HostConfig.MemorySwap}} {{.HostConfig.PidsLimit}} {{.HostConfig.CpuShares}}'
	output_is "$((128 << 20)) $((256 << 20)) 77 300"
	holm pause web
	holm container update --pids-limit 78 --cpus 0.5 web
	[ "$(limit web pids.max pids/pids.max)" = 78 ]
	cgroup_v2 || [ "$(limit web - cpu/cpu.cfs_quota_us)" = 50000 ]
	holm unpause web
	# what is taken away
	holm update --pids-limit -1 --cpus 0 --memory 0 web
	[ "$(limit web pids.max pids/pids.max)" = max ]
	cgroup_v2 || [ "$(limit web - cpu/cpu.cfs_quota_us)" = -1 ]
	cgroup_v2 || [ "$(limit web - memory/memory.limit_in_bytes)" -gt $((1 << 60)) ]
	# the next start has them
	holm update -m 96m --memory-swap -1 --pids-limit 79 web
	holm restart -t 0 web
	[ "$(limit web memory.max memory/memory.limit_in_bytes)" = $((96 << 20)) ]
	[ "$(limit web pids.max pids/pids.max)" = 79 ]
	holm stop -t 0 web
	holm update --pids-limit 80 web
	holm start web
	[ "$(limit web pids.max pids/pids.max)" = 80 ]
	holm rm -f web
}

@test "update refuses what contradicts itself or what is there, and changes nothing then" {
	holm run -d --name web -m 64m --cpus 0.5 busybox sleep 1000 >/dev/null
	refused 1 "no option" holm update web
	refused 1 "--memory-swap 134MB is less than --memory 256m" holm update -m 256m web
	refused 1 "--memory-swap 32m is less than --memory" holm update --memory-swap 32m web
	refused 1 "--memory-reservation 65m is more than --memory" holm update --memory-reservation 65m web
	refused 1 "--cpus and --cpu-quota exclude" holm update --cpu-quota 20000 web
	refused 1 "--memory 1m: at least" holm update -m 1m web
	refused 1 "--pids-limit" holm update --pids-limit many web
	refused 1 "--restart sometimes" holm update --restart sometimes web
	refused 1 "no such container" holm update --pids-limit 7 nothing
	expect 0 holm inspect web --format '{{.HostConfig.Memory}} {{.HostConfig.PidsLimit}} {{.HostConfig.NanoCpus}}'
	output_is "$((64 << 20)) 2048 500000000"
	# what the kernel does not take is not recorded
	refused 1 "" holm update --cpuset-cpus 4000 --pids-limit 77 web
	expect 0 holm inspect web --format '{{.HostConfig.CpusetCpus}}{{.HostConfig.PidsLimit}}'
	output_is 2048
	[ "$(limit web pids.max pids/pids.max)" = 2048 ]
	# several: those that can, and the status of the one that cannot
	expect 1 holm update --pids-limit 99 nothing web
	output_is web
	[ "$(limit web pids.max pids/pids.max)" = 99 ]
	holm rm -f web
}

@test "update --restart counts from the next end on" {
	holm run -d --name web busybox sh -c 'sleep 1000' >/dev/null
	holm update --restart on-failure:1 web
	expect 0 holm inspect web --format '{{.HostConfig.RestartPolicy.Name}} {{.HostConfig.RestartPolicy.MaximumRetryCount}}'
	output_is "on-failure 1"
	kill -KILL "$(holm inspect web --format '{{.State.Pid}}')"
	within 5 eval '[ "$(holm inspect web --format "{{.RestartCount}} {{.State.Status}}")" = "1 running" ]'
	# its limits live in what it is started again from
	holm update --restart always --pids-limit 91 web
	kill -KILL "$(holm inspect web --format '{{.State.Pid}}')"
	within 5 eval '[ "$(holm inspect web --format "{{.RestartCount}} {{.State.Status}}")" = "2 running" ]'
	[ "$(limit web pids.max pids/pids.max)" = 91 ]
	holm update --restart no web
	kill -KILL "$(holm inspect web --format '{{.State.Pid}}')"
	within 5 eval '[ "$(holm inspect web --format "{{.State.Status}}")" = exited ]'
	holm rm web
	holm run -d --rm --name web busybox sleep 1000 >/dev/null
	refused 1 "--rm" holm update --restart always web
	holm rm -f web
}

@test "update is told, and two at once leave one of the two" {
	local from
	from=$(date +%s.%N)
	holm run -d --name web busybox sleep 1000 >/dev/null
	holm update --pids-limit 50 --cpu-shares 500 web &
	holm update --pids-limit 60 --cpu-shares 600 web
	wait $!
	[[ $(holm inspect web --format '{{.HostConfig.PidsLimit}} {{.HostConfig.CpuShares}}') =~ ^(50\ 500|60\ 600)$ ]]
	[ "$(limit web pids.max pids/pids.max)" = "$(holm inspect web --format '{{.HostConfig.PidsLimit}}')" ]
	expect 0 holm events --since "$from" --stream=false -f event=update --format '{{.Actor.Attributes.name}}'
	output_is $'web\nweb'
	holm rm -f web
}
