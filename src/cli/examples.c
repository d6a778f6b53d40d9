#include "cli/examples.h"

#include <string.h>

#include "base/mem.h"

static const struct {
	const char *name;
	const char *lines;
} examples[] = {
	{ "run", "# a shell in a new container, which goes with it\n"
		 "holm run --rm -it busybox\n"
		 "# in the background, with a limit and a folder of the host\n"
		 "holm run -d --name web -m 256m -v \"$PWD:/srv:ro\" busybox httpd -f -h /srv\n" },
	{ "create", "holm create --name job busybox sh -c 'date; sleep 10'\n"
		    "holm start -a job\n" },
	{ "start", "holm start web\n"
		   "# see what it writes, and wait for it\n"
		   "holm start -a job\n" },
	{ "stop", "holm stop web\n"
		  "# at once\n"
		  "holm stop -t 0 web db\n" },
	{ "restart", "holm restart web\n" },
	{ "kill", "holm kill web\n"
		  "# let a server read its configuration again\n"
		  "holm kill -s HUP web\n" },
	{ "rm", "holm rm job\n"
		"# whether it runs or not, with its nameless volumes\n"
		"holm rm -fv web\n" },
	{ "ls", "holm ls\n"
		"# who is where\n"
		"holm ls --running --format '{{.Names}} {{.IPv4}}'\n" },
	{ "ps", "holm ps -a\n"
		"holm ps --filter status=exited --format '{{.Names}}: {{.Status}}'\n" },
	{ "logs", "holm logs -f web\n"
		  "holm logs --tail 20 -t --since 10m web\n" },
	{ "top", "holm top web\n" },
	{ "stats", "holm stats\n"
		   "holm stats --no-stream --format '{{.Name}} {{.MemUsage}}'\n" },
	{ "exec", "holm exec -it web sh\n"
		  "holm exec -u nobody -w /tmp web id\n" },
	{ "attach", "# ctrl-p ctrl-q leaves it running\n"
		    "holm attach shell\n" },
	{ "launch", "holm launch template:debian/bookworm web\n"
		    "holm launch --memory 2g --network front debian-systemd db\n" },
	{ "reboot", "holm reboot web\n" },
	{ "console", "# ctrl-a q leaves it\n"
		     "holm console web\n"
		     "# one more terminal to log in at\n"
		     "holm console --new web\n" },
	{ "shell", "holm shell web\n"
		   "holm shell -u www-data web id\n" },
	{ "file push", "holm file push index.html web/srv/index.html\n" },
	{ "file pull", "holm file pull web/var/log/dpkg.log .\n" },
	{ "file edit", "EDITOR=nano holm file edit web/etc/hosts\n" },
	{ "cp", "holm cp web:/etc/hosts .\n"
		"tar c . | holm cp - web:/srv\n" },
	{ "diff", "holm diff web\n" },
	{ "export", "holm export web | tar t\n" },
	{ "build", "holm build -t app:1 .\n"
		   "# another file, an argument, one stage of it\n"
		   "holm build -f app.Dockerfile --build-arg VERSION=2 --target test .\n" },
	{ "builder prune", "holm builder prune -f\n" },
	{ "commit", "holm commit -m 'with curl' --change 'CMD [\"curl\"]' box tools:1\n" },
	{ "wait", "holm wait job\n" },
	{ "rename", "holm rename web old\n" },
	{ "port", "holm port web\n"
		  "# who may come, and why\n"
		  "holm port --explain web\n" },
	{ "port add", "holm port add web 8080:80 127.0.0.1:9000:9000\n" },
	{ "port rm", "holm port rm web 8080:80\n" },
	{ "checkpoint create", "# it ends, and goes on later from where it was\n"
			       "holm checkpoint create web before-reboot\n"
			       "holm start --checkpoint before-reboot web\n" },
	{ "checkpoint ls", "holm checkpoint ls web\n" },
	{ "checkpoint rm", "holm checkpoint rm web before-reboot\n" },
	{ "snapshot create", "holm snapshot create --comment 'before the upgrade' web\n"
			     "# under a name, and for a week\n"
			     "holm snapshot create --expiry 7d web before-2.0\n" },
	{ "snapshot ls", "holm snapshot ls web\n" },
	{ "snapshot inspect", "holm snapshot inspect -f '{{.Created}}' web snap0\n" },
	{ "snapshot diff", "# since then\n"
			   "holm snapshot diff web snap0\n" },
	{ "snapshot rename", "holm snapshot rename web snap0 good\n" },
	{ "snapshot rm", "holm snapshot rm web snap0 snap1\n" },
	{ "snapshot schedule", "# one a day, the last two weeks\n"
			       "holm snapshot schedule --expiry 2w web 1d\n" },
	{ "snapshot run-due", "# in /etc/cron.d: 5 * * * * root holm snapshot run-due\n"
			      "holm snapshot run-due\n" },
	{ "restore", "holm restore web snap0\n"
		     "# one that runs\n"
		     "holm restore --restart web snap0\n" },
	{ "rebuild", "holm rebuild web\n"
		     "# of a newer image; what it was can be restored\n"
		     "holm rebuild --snapshot --restart web debian:13\n" },
	{ "copy", "holm copy web root@there.example.org\n"
		  "# later what is new, under another name\n"
		  "holm copy --refresh web root@there.example.org:web-copy\n" },
	{ "move", "holm move web root@there.example.org\n"
		  "# while it runs\n"
		  "holm move --live web root@there.example.org\n" },
	{ "backup", "holm backup -o web.holm web\n"
		    "holm backup web | zstd >web.holm.zst\n" },
	{ "receive", "holm receive web.holm\n"
		     "zstd -dc web.holm.zst | holm receive --name web2\n" },
	{ "clone", "holm clone web web2\n"
		   "# of a snapshot; it goes when it ends\n"
		   "holm clone --ephemeral --snapshot snap0 web try\n" },
	{ "set", "holm set web memory=512m cpus=1.5\n"
		 "holm set web\n" },
	{ "device add", "holm device add web /dev/fuse\n"
			"holm device add -v /srv/data:/data:ro web\n"
			"# until it ends\n"
			"holm device add --temporary web /dev/ttyUSB0:/dev/modem:rw\n" },
	{ "device rm", "holm device rm web /dev/fuse /data\n" },
	{ "device ls", "holm device ls web\n" },
	{ "update", "holm update -m 512m --cpus 2 web\n"
		    "holm update --restart unless-stopped web\n" },
	{ "inspect", "holm inspect -f '{{.State.Pid}}' web\n"
		     "# what it is made of, and what is weaker than by default\n"
		     "holm inspect --explain web\n" },
	{ "container exists", "holm container exists web || holm create --name web nginx\n" },
	{ "container inspect", "holm container inspect -f '{{json .Mounts}}' web\n" },
	{ "container prune", "holm container prune -f\n" },
	{ "healthcheck run", "holm healthcheck run web && echo healthy\n" },
	{ "verify", "holm verify web db\n"
		    "# before a reboot\n"
		    "holm verify --all\n" },
	{ "pause", "holm pause web\n" },
	{ "unpause", "holm unpause web\n" },
	{ "pull", "holm pull debian:bookworm\n"
		  "holm pull quay.io/podman/hello\n" },
	{ "push", "holm push registry.example.org/tools:1\n" },
	{ "image copy", "holm image copy debian:12 registry.example.org/debian:12\n"
			"holm image copy --all alpine oci-archive:alpine.tar:3\n" },
	{ "images", "holm images\n"
		    "holm images --filter dangling=true -q\n" },
	{ "tag", "holm tag tools:1 registry.example.org/tools:1\n" },
	{ "rmi", "holm rmi tools:1\n" },
	{ "image prune", "holm image prune -f\n" },
	{ "image exists", "holm image exists tools:1 || holm pull tools:1\n" },
	{ "image inspect", "holm image inspect -f '{{.Config.Cmd}}' busybox\n" },
	{ "image tree", "holm image tree tools:1\n" },
	{ "history", "holm history --no-trunc busybox\n" },
	{ "load", "holm load -i tools.tar\n" },
	{ "save", "holm save -o tools.tar tools:1 tools:2\n" },
	{ "import", "holm import rootfs.tar base:1\n"
		    "holm import --from lxc --dry-run\n"
		    "holm import --from lxc web\n" },
	{ "login", "holm login -u me --password-stdin registry.example.org <password\n" },
	{ "logout", "holm logout registry.example.org\n" },
	{ "volume create", "holm volume create data\n" },
	{ "volume ls", "holm volume ls --filter dangling=true\n" },
	{ "volume inspect", "holm volume inspect -f '{{.Mountpoint}}' data\n" },
	{ "volume rm", "holm volume rm data\n" },
	{ "volume prune", "holm volume prune --all -f\n" },
	{ "volume exists", "holm volume exists data && echo there\n" },
	{ "volume export", "holm volume export -o data.tar data\n" },
	{ "volume import", "holm volume import data data.tar\n" },
	{ "search", "holm search --limit 5 postgres\n" },
	{ "image mount", "holm image mount tools:1\n" },
	{ "image unmount", "holm image unmount tools:1\n" },
	{ "image diff", "holm image diff tools:2 tools:1\n" },
	{ "image trust", "holm image trust show --json\n"
			 "holm image trust set -t reject docker.io\n"
			 "holm image trust set -f /etc/pki/team.asc registry.example.com/team\n" },
	{ "image sign-check", "holm image sign-check registry.example.org/tools:1\n" },
	{ "manifest create", "holm manifest create tools:all tools:amd64 tools:arm64\n" },
	{ "manifest add", "holm manifest add tools:all tools:riscv64\n" },
	{ "manifest annotate", "holm manifest annotate --arch arm64 tools:all tools:arm64\n" },
	{ "manifest remove", "holm manifest remove tools:all tools:riscv64\n" },
	{ "manifest inspect", "holm manifest inspect tools:all\n" },
	{ "manifest push", "holm manifest push tools:all registry.example.org/tools:1\n" },
	{ "manifest rm", "holm manifest rm tools:all\n" },
	{ "manifest exists", "holm manifest exists tools:all && echo there\n" },
	{ "volume mount", "ls \"$(holm volume mount data)\"\n" },
	{ "volume unmount", "holm volume unmount data\n" },
	{ "network create", "holm network create shop\n"
			    "holm run -d --network shop --name db busybox sleep 1000\n" },
	{ "network ls", "holm network ls\n" },
	{ "network inspect", "holm network inspect shop\n" },
	{ "network rm", "holm network rm shop\n" },
	{ "network connect", "holm network connect --alias sql shop db\n" },
	{ "network disconnect", "holm network disconnect shop db\n" },
	{ "network update", "holm network update --dns-add 192.0.2.53 shop\n" },
	{ "network prune", "holm network prune -f\n" },
	{ "network reload", "holm network reload\n" },
	{ "network trace", "holm network trace -c 100 -w web.pcap web\n"
			   "holm network trace web | tcpdump -n -r - port 53\n" },
	{ "pod create", "holm pod create shop\n"
			"holm run -d --pod shop --name app busybox sleep 1000\n" },
	{ "pod clone", "holm pod clone --start shop shop2\n" },
	{ "pod ps", "holm pod ps --filter status=running\n" },
	{ "pod start", "holm pod start shop\n" },
	{ "pod stop", "holm pod stop --all\n" },
	{ "pod restart", "holm pod restart shop\n" },
	{ "pod kill", "holm pod kill -s TERM shop\n" },
	{ "pod pause", "holm pod pause shop\n" },
	{ "pod unpause", "holm pod unpause shop\n" },
	{ "pod rm", "holm pod rm -f shop\n" },
	{ "pod logs", "holm pod logs -f --names shop\n" },
	{ "pod top", "holm pod top shop aux\n" },
	{ "pod stats", "holm pod stats --no-stream shop\n" },
	{ "pod prune", "holm pod prune -f\n" },
	{ "pod inspect", "holm pod inspect -f '{{.State}}' shop\n" },
	{ "kube play", "holm kube play web.yaml\n"
		       "holm kube play --replace --configmap settings.yaml web.yaml\n" },
	{ "kube down", "holm kube down web.yaml\n" },
	{ "kube generate",
	  "holm kube generate -f shop.yaml shop\n"
	  "holm kube generate --type deployment --service web | kubectl apply -f -\n" },
	{ "pod exists", "holm pod exists shop && echo there\n" },
	{ "secret create", "printf %s \"$PASSWORD\" | holm secret create db -\n"
			   "holm run --rm --secret db busybox ls -l /run/secrets\n" },
	{ "secret ls", "holm secret ls --format '{{.Name}}'\n" },
	{ "secret inspect", "holm secret inspect --showsecret -f '{{.SecretData}}' db\n" },
	{ "secret rm", "holm secret rm db\n" },
	{ "secret exists", "holm secret exists db || echo missing\n" },
	{ "version", "holm version --format '{{.Client.Version}}'\n" },
	{ "info", "holm info --format '{{.CgroupVersion}}'\n" },
	{ "events", "holm events --since 10m --until 0s --filter container=web\n" },
	{ "doctor", "holm doctor\n" },
	{ "unshare", "# a shell; then one command\n"
		     "holm unshare\n"
		     "holm unshare rm -r folder-with-files-of-containers\n" },
	{ "help", "holm help run\n"
		  "holm help --all run\n" },
	{ "system df", "holm system df -v\n" },
	{ "system prune", "holm system prune -f\n" },
	{ "system gc", "holm system gc --keep 20G\n" },
	{ "system check", "holm system check --repair\n" },
	{ "autostart", "holm autostart\n" },
};

const char *cli_examples_of(const char *name)
{
	for (size_t i = 0; i < COUNT_OF(examples); i++)
		if (strcmp(examples[i].name, name) == 0)
			return examples[i].lines;
	return NULL;
}
