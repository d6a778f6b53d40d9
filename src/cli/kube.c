/* `holm kube play`, `kube down` and `kube generate`. */
#include <fcntl.h>
#include <stdio.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/str.h"
#include "base/strv.h"
#include "cli/command.h"
#include "cli/commands.h"
#include "kube/down.h"
#include "kube/generate.h"
#include "kube/play.h"

struct kube_options {
	struct kube_play_options play;
	bool down;
};

#define OPTIONS struct kube_options
static const struct option play_table[] = {
	{ "start", 0, OPTION_TOGGLE(play.start), NULL, "start the pods (on unless =false)" },
	{ "replace", 0, OPTION_FLAG(play.replace), NULL,
	  "remove first what an earlier call has made" },
	{ "down", 0, OPTION_FLAG(down), NULL, "remove it: kube down" },
	{ "wait", 'w', OPTION_FLAG(play.wait), NULL,
	  "stay until all has ended, or for ctrl-c, and remove it then" },
	{ "force", 0, OPTION_FLAG(play.force), NULL,
	  "with --down and --wait: the volumes of PersistentVolumeClaims, too" },
	{ "configmap", 0, OPTION_STRINGS(play.configmap), "FILE", "a file with ConfigMaps",
	  "file:" },
	{ "annotation", 0, OPTION_STRINGS(play.plan.annotation), "KEY=VALUE",
	  "an annotation of all pods and their containers" },
	{ "log-driver", 0, OPTION_STRING(play.plan.log_driver), "DRIVER", "as that of run",
	  "json-file|local|journald|none" },
	{ "log-opt", 0, OPTION_STRINGS(play.plan.log_opt), "KEY=VALUE", "as that of run" },
	{ "userns", 0, OPTION_STRING(play.plan.userns), "MODE",
	  "the user namespace of each pod, as that of run" },
	{ "seccomp-profile-root", 0, OPTION_STRING(play.plan.seccomp_root), "FOLDER",
	  "where localhostProfile is looked for (/var/lib/kubelet/seccomp)", "folder:" },
	{ "quiet", 'q', OPTION_FLAG(play.plan.quiet), NULL, "do not show the progress of a pull" },
	OPTION_HEADING("Network, of each pod"),
	{ "network", 0, OPTION_STRINGS(play.plan.network), "NETWORK", "as that of run",
	  "network:" },
	{ "net", 0, OPTION_STRINGS(play.plan.network), "NETWORK", "as --network", .hidden = true },
	{ "ip", 0, OPTION_STRINGS(play.plan.ip), "ADDRESS",
	  "an IPv4 address: of the first pod, then of the second one..." },
	{ "mac-address", 0, OPTION_STRINGS(play.plan.mac), "ADDRESS", "the link's, likewise" },
	{ "publish", 'p', OPTION_STRINGS(play.plan.publish), "[[IP:]PORT:]PORT",
	  "a port of the host for one of the pod's, in the place of the file's hostPort" },
	{ "no-hosts", 0, OPTION_FLAG(play.plan.no_hosts), NULL, "leave /etc/hosts to the image" },
	{ 0 },
};

static const struct option down_table[] = {
	{ "force", 0, OPTION_FLAG(play.force), NULL, "the volumes of PersistentVolumeClaims, too" },
	{ 0 },
};
#undef OPTIONS

/* podman's output. */
static void print_report(const struct kube_report *report)
{
	for (size_t i = 0; i < report->volumes.count; i++)
		printf("%s%s\n", i ? "" : "Volumes:\n", report->volumes.items[i]);
	for (size_t i = 0; i < report->pods.count; i++) {
		const struct kube_report_pod *pod = &report->pods.items[i];
		printf("Pod:\n%s\nContainer%s:\n", pod->id, pod->containers.count == 1 ? "" : "s");
		for (size_t k = 0; k < pod->containers.count; k++)
			puts(pod->containers.items[k]);
		puts("");
	}
	fflush(stdout);
}

static void print_list(const char *title, const struct strv *items, bool always)
{
	if (always || items->count)
		puts(title);
	for (size_t i = 0; i < items->count; i++)
		puts(items->items[i]);
}

static int down(struct engine *engine, const char *place, bool force, struct err *e)
{
	own_clear(kube_down_removed_clear) struct kube_removed removed = { 0 };

	int r = kube_down(engine, place, force, &removed, e);
	print_list("Pods stopped:", &removed.stopped, r == 0);
	print_list("Pods removed:", &removed.removed, r == 0);
	print_list("Secrets removed:", &removed.secrets, false);
	print_list("Volumes removed:", &removed.volumes, false);
	return r;
}

static int run_play(struct cli *cli, void *options, const struct strv *args, struct err *e)
{
	own_clear(kube_play_report_clear) struct kube_report report = { 0 };
	struct kube_options *o = options;
	const char *other = o->play.replace ? "--replace" : o->play.wait ? "--wait" : NULL;
	struct engine *engine;

	if (o->down && other)
		return err_set(e, ERR_INVALID, "--down and %s exclude each other", other);
	if (o->play.wait && o->play.start_given && !o->play.start)
		return err_set(e, ERR_INVALID, "--wait and --start=false exclude each other");
	int r = cli_command_engine(cli, &engine, e);
	if (r == 0 && o->down)
		return down(engine, args->items[0], o->play.force, e);
	o->play.made = print_report;
	return r < 0 ? r : kube_play(engine, args->items[0], &o->play, &report, e);
}

static int run_down(struct cli *cli, void *options, const struct strv *args, struct err *e)
{
	const struct kube_options *o = options;
	struct engine *engine;
	int r = cli_command_engine(cli, &engine, e);

	return r < 0 ? r : down(engine, args->items[0], o->play.force, e);
}

const struct cli_command cli_kube_play = {
	.names = "kube play|play kube",
	.section = "Pods",
	.arguments = "[OPTIONS] FILE|-|URL",
	.summary = "Make and start the pods of a file of Kubernetes objects",
	.options = play_table,
	.size = sizeof(struct kube_options),
	.args_min = 1,
	.args_max = 1,
	.values = "file:",
	.run = run_play,
};

const struct cli_command cli_kube_down = {
	.names = "kube down",
	.section = "Pods",
	.arguments = "[OPTIONS] FILE|-|URL",
	.summary = "Remove the pods of a file of Kubernetes objects",
	.options = down_table,
	.size = sizeof(struct kube_options),
	.args_min = 1,
	.args_max = 1,
	.values = "file:",
	.run = run_down,
};

#define OPTIONS struct kube_generate_options
static const struct option generate_table[] = {
	{ "filename", 'f', OPTION_STRING(filename), "FILE", "write it to this new file", "file:" },
	{ "service", 's', OPTION_FLAG(service), NULL, "and a Service, of the published ports" },
	{ "type", 't', OPTION_STRING(type), "TYPE", "what a pod becomes (pod)", "pod|deployment" },
	{ 0 },
};
#undef OPTIONS

static int write_file(const char *path, const struct str *text, struct err *e)
{
	own_fd int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);

	if (fd < 0)
		return err_sys(e, "--filename %s", path);
	int r = fd_write_all(fd, text->text, text->length);
	if (r == 0)
		return 0;
	unlink(path);
	return err_number(e, -r, "write %s", path);
}

static int run_generate(struct cli *cli, void *options, const struct strv *args, struct err *e)
{
	static const char head[] = "# Save the output of this file and use kubectl create -f to "
				   "import\n# it into Kubernetes.\n#\n# Created with "
				   "holm-" HOLM_VERSION "\n";
	const struct kube_generate_options *o = options;
	own_clear(str_clear) struct str text = { 0 }, whole = { 0 };
	struct engine *engine;

	int r = cli_command_engine(cli, &engine, e);
	if (r == 0)
		r = kube_generate(&text, engine, args, o, e);
	if (r < 0)
		return r;
	str_add(&whole, head);
	str_add(&whole, text.text);
	if (o->filename)
		return write_file(o->filename, &whole, e);
	fputs(whole.text, stdout);
	return 0;
}

const struct cli_command cli_kube_generate = {
	.names = "kube generate|generate kube",
	.section = "Pods",
	.arguments = "[OPTIONS] POD|CONTAINER|VOLUME...",
	.summary = "Show pods, containers and volumes as Kubernetes objects",
	.options = generate_table,
	.size = sizeof(struct kube_generate_options),
	.args_min = 1,
	.args_max = CLI_ARGS_ANY,
	.values = "container:",
	.run = run_generate,
};
