#include "cli/absent.h"

#include <stddef.h>
#include <string.h>

#include "base/mem.h"
#include "base/own.h"
#include "base/str.h"
#include "base/strv.h"

#define WINDOWS "that is of containers of Windows"
#define SWARM   "holm has no swarm: it is a runtime for those that have (containerd, Kubernetes)"

static const struct absent {
	const char *commands; /* NULL: of any */
	const char *names;
	const char *hint;
} options[] = {
	{ NULL, "disable-content-trust",
	  "holm checks signatures by policy.json, which is not the command line's to switch off: "
	  "holm image trust" },
	{ NULL, "sign-by|sign-by-sigstore-private-key|sign-passphrase-file",
	  "holm signs nothing itself: sign with gpg or cosign what is on the registry" },
	{ NULL, "cert-dir", "put the certificates into /etc/containers/certs.d/REGISTRY/" },
	{ NULL, "cpu-count|cpu-percent|io-maxbandwidth|io-maxiops|isolation", WINDOWS },
	{ NULL, "cpu-rt-period|cpu-rt-runtime",
	  "cgroup v2 has no budget for real-time processes; say --ulimit rtprio=N" },
	{ NULL, "kernel-memory", "kernels since 5.4 do not have it: --memory counts both" },
	{ NULL, "use-api-socket", "there is no daemon whose socket a container could have" },
	{ "run|create", "runtime", "each container is run by holm's own; "
	  "for others to call there is holm-runtime" },
	{ "run|create", "volume-driver",
	  "volumes are made with their driver: holm volume create --driver ... --opt ..." },
	{ "run|create|network connect", "link-local-ip",
	  "say --ip with an address of the network" },
	{ "run|create", "conmon-pidfile",
	  "the monitor is no affair of a service manager: holm autostart starts at boot" },
	{ "run|create", "cgroup-conf", "limits have options of their own: holm run --help" },
	{ "run|create", "cgroups", "each container has a cgroup; --cgroup-parent says where" },
	{ "run|create", "rootfs", "write the folder as the image: holm run dir:/FOLDER" },
	{ "run|create", "sdnotify",
	  "a service waits by its health check, or by holm wait --condition; --system takes "
	  "sd_notify of what runs in it" },
	{ "run|create", "init-path", "--init is holm's own program, or give the image one" },
	{ "run|create", "passwd|passwd-entry|group-entry|hostuser",
	  "/etc/passwd is the image's; --user takes numbers that are not in it" },
	{ "run|create", "seccomp-policy", "say --security-opt seccomp=FILE" },
	{ "run|create", "personality", "only the program itself sets it: run it by setarch" },
	{ "start", "checkpoint|checkpoint-dir", "holm restore goes back to a snapshot" },
	{ "rm", "link", "links are names in a network: holm network disconnect NETWORK CONTAINER" },
	{ "rm", "depend", "what others need goes after them: name all of them" },
	{ "ps|pod ps", "sync|external|ns", "the state is read anew each time; "
	  "holm inspect shows namespaces" },
	{ "volume create", "availability|group|limit-bytes|required-bytes|scope|secret|sharing|"
	  "topology-preferred|topology-required|type", SWARM },
	{ "volume ls", "cluster", SWARM },
	{ "network create", "attachable|ingress|scope|config-only|config-from", SWARM },
	{ "save", "compress|uncompressed|multi-image-archive",
	  "several images go into one archive in any case, their layers as they are stored" },
	{ "push|manifest push", "compression-format|remove-signatures|compress",
	  "what is pushed is what is stored, so that its digest stays" },
}, commands[] = {
	{ NULL, "prune", "holm container prune, image prune, volume prune; system prune for all" },
	{ NULL, "swarm|node|service|stack|config", SWARM },
	{ NULL, "plugin", "what docker does by plugins is in holm, or is called by exec" },
	{ NULL, "context", "there is no daemon to choose; ssh HOST holm ... is the other machine" },
	{ NULL, "buildx", "holm build does what buildx build does" },
	{ NULL, "checkpoint|container checkpoint", "holm snapshot CONTAINER, then holm restore" },
	{ NULL, "container restore", "holm restore CONTAINER SNAPSHOT" },
	{ NULL, "machine|farm", "holm runs on Linux itself" },
	{ NULL, "generate|quadlet", "nothing is to be generated: "
	  "holm autostart starts containers at boot" },
	{ NULL, "auto-update", "holm pull IMAGE, then holm rebuild CONTAINER" },
	{ NULL, "init|container init", "holm create, then holm start" },
	{ NULL, "mount|container mount|unmount|umount|container unmount|container umount",
	  "holm cp, file edit and diff work in a container's files; of images: holm image mount" },
	{ NULL, "container cleanup|system migrate|system renumber",
	  "nothing is to be cleaned: the next command that meets a dead container does it" },
	{ NULL, "container runlabel|runlabel",
	  "what an image says is never run on the host; its labels: holm image inspect" },
	{ NULL, "image sign", "sign with gpg or cosign what is on the registry" },
	{ NULL, "image scp", "holm save IMAGE | ssh HOST holm load" },
	{ NULL, "system reset", "holm rm -f -a, then holm system prune -a --volumes" },
	{ NULL, "system connection|system service|system dial-stdio",
	  "there is no daemon; ssh HOST holm ... is the other machine" },
};

static bool is_among(const char *list, const char *name)
{
	own_clear(strv_clear) struct strv names = { 0 };

	strv_split(&names, list, '|');
	return strv_contains(&names, name);
}

const char *cli_absent_option(const char *command, const char *option)
{
	for (size_t i = 0; i < COUNT_OF(options); i++)
		if (is_among(options[i].names, option) &&
		    (!options[i].commands || is_among(options[i].commands, command)))
			return options[i].hint;
	return NULL;
}

/* Of a group its name alone is enough: "swarm init". */
const char *cli_absent_command(const char *command)
{
	own_free char *group = mem_text_n(command, strcspn(command, " "));

	for (size_t i = 0; i < COUNT_OF(commands); i++)
		if (is_among(commands[i].names, command) || is_among(commands[i].names, group))
			return commands[i].hint;
	return NULL;
}
