#include "engine/name.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/random.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/str.h"

static const char *const adjectives[] = {
	"able",   "agile",    "amber",  "ample",   "apt",     "bold",     "brave",   "bright",
	"brisk",  "busy",     "calm",   "candid",  "careful", "cheerful", "clear",   "clever",
	"crisp",  "curious",  "daring", "deft",    "eager",   "early",    "earnest", "easy",
	"fair",   "fearless", "fine",   "firm",    "fluent",  "fond",     "frank",   "free",
	"fresh",  "frugal",   "gentle", "glad",    "golden",  "good",     "grand",   "handy",
	"happy",  "hardy",    "honest", "humble",  "keen",    "kind",     "lasting", "light",
	"lively", "lucid",    "lucky",  "mellow",  "merry",   "mild",     "modest",  "neat",
	"nimble", "noble",    "open",   "patient", "plain",   "polite",   "prime",   "prompt",
	"proud",  "pure",     "quick",  "quiet",   "rapid",   "ready",    "robust",  "round",
	"serene", "sharp",    "silent", "simple",  "sincere", "smooth",   "snug",    "sober",
	"solid",  "sound",    "spry",   "stable",  "steady",  "stout",    "sunny",   "swift",
	"tender", "tidy",     "true",   "upbeat",  "vivid",   "warm",     "wise",    "witty",
};

static const char *const surnames[] = {
	"abel",      "agnesi",   "ampere",   "anning",   "babbage", "banach",     "barton",
	"bell",      "bohr",     "boole",    "bouman",   "brahe",   "braun",      "cantor",
	"carson",    "cauchy",   "cerf",     "chandra",  "church",  "clarke",     "conway",
	"cori",      "curie",    "darwin",   "dijkstra", "dirac",   "edison",     "elion",
	"engelbart", "erdos",    "euclid",   "euler",    "faraday", "fermat",     "fermi",
	"fourier",   "franklin", "fuller",   "galileo",  "galois",  "gauss",      "germain",
	"goodall",   "gray",     "hamilton", "harvey",   "hawking", "herschel",   "hilbert",
	"hodgkin",   "hooke",    "hopper",   "huygens",  "hypatia", "jemison",    "johnson",
	"joule",     "kahn",     "kelvin",   "kepler",   "khayyam", "knuth",      "kovalevsky",
	"lamarr",    "lamport",  "laplace",  "leavitt",  "leibniz", "linnaeus",   "lorentz",
	"lovelace",  "maxwell",  "mayer",    "meitner",  "mendel",  "moore",      "napier",
	"nash",      "neumann",  "newton",   "noether",  "ohm",     "pascal",     "pasteur",
	"pauli",     "payne",    "planck",   "poincare", "ptolemy", "raman",      "ride",
	"riemann",   "ritchie",  "rubin",    "sagan",    "shannon", "somerville", "stokes",
	"tesla",     "thales",   "thompson", "torvalds", "turing",  "volta",      "watt",
	"wiles",     "wilson",   "wing",     "wirth",    "wozniak", "wu",         "yalow",
};

int engine_name_check(const char *name, struct err *e)
{
	static const char form[] = "letters, digits, '_', '.' and '-', beginning with one of "
				   "the first two";
	size_t length = strlen(name);

	if (length == 0)
		return err_set(e, ERR_INVALID, "an empty name");
	if (length > CONTAINER_NAME_MAX)
		return err_set(e, ERR_INVALID, "the name has %zu bytes, more than %d", length,
			       CONTAINER_NAME_MAX);
	if (!str_is_name(name, CONTAINER_NAME_MAX))
		return err_set(e, ERR_INVALID, "'%s' is no name: %s", name, form);
	return 0;
}

static void random_bytes(void *to, size_t length)
{
	/* up to 256 bytes getrandom(2) is neither short nor interrupted once seeded */
	while (getrandom(to, length, 0) != (ssize_t)length)
		;
}

void engine_id_generate(char to[CONTAINER_ID_LENGTH + 1])
{
	static const char digits[] = "0123456789abcdef";
	unsigned char bytes[CONTAINER_ID_LENGTH / 2];

	random_bytes(bytes, sizeof(bytes));
	for (size_t i = 0; i < sizeof(bytes); i++) {
		to[2 * i] = digits[bytes[i] >> 4];
		to[2 * i + 1] = digits[bytes[i] & 15];
	}
	to[CONTAINER_ID_LENGTH] = '\0';
}

char *engine_name_generate(unsigned attempt)
{
	uint32_t random[2];

	random_bytes(random, sizeof(random));
	const char *adjective = adjectives[random[0] % COUNT_OF(adjectives)];
	const char *surname = surnames[random[1] % COUNT_OF(surnames)];
	if (attempt == 0)
		return mem_format("%s_%s", adjective, surname);
	return mem_format("%s_%s%u", adjective, surname, attempt);
}

bool engine_id_is_prefix(const char *text)
{
	size_t length = strspn(text, "0123456789abcdef");

	return length > 0 && length <= CONTAINER_ID_LENGTH && !text[length];
}
