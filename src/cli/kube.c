/* `holm kube play` and `kube down`. */
#include <stdio.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/strv.h"
#include "cli/command.h"
#include "cli/commands.h"
#include "kube/down.h"
#include "kube/play.h"

struct kube_options {
	struct kube_play_options play;
	bool down;
	bool force;
};

#define OPTIONS struct kube_options
static const struct option play_table[] = {
	{ "start", 0, OPTION_TOGGLE(play.start), NULL, "start the pods (on unless =false)" },
	{ "replace", 0, OPTION_FLAG(play.replace), NULL,
	  "remove first what an earlier call has made" },
	{ "down", 0, OPTION_FLAG(down), NULL, "remove it: kube down" },
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
	{ "force", 0, OPTION_FLAG(force), NULL, "the volumes of PersistentVolumeClaims, too" },
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
	print_list("Pods stopped:", &removed.stopped, true);
	print_list("Pods removed:", &removed.removed, true);
	print_list("Secrets removed:", &removed.secrets, false);
	print_list("Volumes removed:", &removed.volumes, false);
	return r;
}

static int run_play(struct cli *cli, void *options, const struct strv *args, struct err *e)
{
	own_clear(kube_play_report_clear) struct kube_report report = { 0 };
	const struct kube_options *o = options;
	struct engine *engine;

	if (o->down && o->play.replace)
		return err_set(e, ERR_INVALID, "--down and --replace exclude each other");
	int r = cli_command_engine(cli, &engine, e);
	if (r == 0 && o->down)
		return down(engine, args->items[0], o->force, e);
	if (r == 0)
		r = kube_play(engine, args->items[0], &o->play, &report, e);
	if (r == 0)
		print_report(&report);
	return r;
}

static int run_down(struct cli *cli, void *options, const struct strv *args, struct err *e)
{
	const struct kube_options *o = options;
	struct engine *engine;
	int r = cli_command_engine(cli, &engine, e);

	return r < 0 ? r : down(engine, args->items[0], o->force, e);
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
