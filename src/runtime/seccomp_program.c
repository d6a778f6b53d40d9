/* The shape of a filter:
 *
 *	load architecture
 *	native? -> load number, binary search over the ranges of numbers with one fate
 *	second architecture? -> the same
 *	return foreign
 *
 * Each range ends in a return or, if it is a call whose arguments matter, in its chain of tests.
 * Jumps of classic BPF go forward only, and conditional ones at most 255 instructions far; where
 * that is too short, an unconditional one stands in between. */
#include "runtime/seccomp_program.h"

#include <linux/audit.h>
#include <linux/seccomp.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/shape.h"
#include "runtime/seccomp.h"

enum { RULES_MAX = 65000, JUMP_MAX = 255 };

void runtime_seccomp_program_init(struct runtime_seccomp_program *program)
{
	*program = (struct runtime_seccomp_program){ 0 };
	program->abis = mem_new(RUNTIME_SYSCALL_ABIS, sizeof(*program->abis));
}

void runtime_seccomp_program_clear(struct runtime_seccomp_program *program)
{
	free(program->abis);
	free(program->rules);
	free(program->links);
	*program = (struct runtime_seccomp_program){ 0 };
}

void runtime_seccomp_program_use(struct runtime_seccomp_program *program,
				 enum runtime_syscall_abi abi, uint32_t fallback)
{
	struct runtime_seccomp_abi *to = &program->abis[abi];

	to->used = true;
	to->beyond = fallback;
	for (size_t i = 0; i < RUNTIME_SECCOMP_NUMBERS; i++)
		to->fallback[i] = fallback;
}

int runtime_seccomp_program_add(struct runtime_seccomp_program *program,
				const struct runtime_seccomp_rule *rule, struct err *e)
{
	if (program->rules_count >= RULES_MAX)
		return err_set(e, ERR_INVALID, "more than %d seccomp rules", RULES_MAX);
	program->rules = shape_list_grow(program->rules, program->rules_count, sizeof(*rule));
	program->rules[program->rules_count] = *rule;
	return (int)program->rules_count++;
}

/* The place where the chain of a number begins; far numbers get theirs here. */
static uint16_t *program_chain(struct runtime_seccomp_abi *abi, uint32_t number)
{
	if (number < RUNTIME_SECCOMP_NUMBERS)
		return &abi->chain[number];
	for (size_t i = 0; i < abi->far_count; i++) {
		if (abi->far[i].number == number)
			return &abi->far[i].chain;
	}
	if (abi->far_count == RUNTIME_SECCOMP_FAR_MAX)
		return NULL;
	size_t at = abi->far_count++;
	while (at > 0 && abi->far[at - 1].number > number) {
		abi->far[at] = abi->far[at - 1];
		at--;
	}
	abi->far[at].number = number;
	abi->far[at].fallback = abi->beyond;
	abi->far[at].chain = 0;
	return &abi->far[at].chain;
}

static int program_link_one(struct runtime_seccomp_program *program,
			    struct runtime_seccomp_abi *abi, uint32_t number, size_t rule,
			    struct err *e)
{
	uint16_t *end = program_chain(abi, number);

	if (!end || program->links_count >= RULES_MAX)
		return err_set(e, ERR_INVALID, "seccomp: too many rules");
	while (*end)
		end = &program->links[*end - 1].next;
	/* the links may move, so the end is set before they grow */
	*end = (uint16_t)(program->links_count + 1);
	program->links =
		shape_list_grow(program->links, program->links_count, sizeof(*program->links));
	program->links[program->links_count++] =
		(struct runtime_seccomp_link){ .rule = (uint16_t)rule };
	return 0;
}

int runtime_seccomp_program_link(struct runtime_seccomp_program *program,
				 const struct runtime_syscall *call, size_t rule, struct err *e)
{
	for (size_t i = 0; i < RUNTIME_SYSCALL_ABIS; i++) {
		struct runtime_seccomp_abi *abi = &program->abis[i];
		if (!abi->used || call->numbers[i] < 0)
			continue;
		int r = program_link_one(program, abi, (uint32_t)call->numbers[i], rule, e);
		if (r < 0)
			return r;
	}
	return 0;
}

void runtime_seccomp_program_fall_back(struct runtime_seccomp_program *program,
				       const struct runtime_syscall *call, uint32_t action)
{
	for (size_t i = 0; i < RUNTIME_SYSCALL_ABIS; i++) {
		int32_t number = call->numbers[i];
		if (program->abis[i].used && number >= 0 && number < RUNTIME_SECCOMP_NUMBERS)
			program->abis[i].fallback[number] = action;
	}
}

/* ---- code ---- */

struct code {
	struct sock_filter *items;
	size_t count;
};

static size_t code_add(struct code *code, uint16_t op, uint32_t value, uint8_t yes, uint8_t no)
{
	code->items = shape_list_grow(code->items, code->count, sizeof(*code->items));
	code->items[code->count] =
		(struct sock_filter){ .code = op, .jt = yes, .jf = no, .k = value };
	return code->count++;
}

static void code_return(struct code *code, uint32_t action)
{
	code_add(code, BPF_RET | BPF_K, action, 0, 0);
}

/* The distance of the unconditional jump at index to the end of the code. */
static void code_land(struct code *code, size_t index)
{
	code->items[index].k = (uint32_t)(code->count - index - 1);
}

static void code_insert(struct code *code, size_t index)
{
	code_add(code, 0, 0, 0, 0);
	memmove(&code->items[index + 1], &code->items[index],
		(code->count - index - 1) * sizeof(*code->items));
}

/* Where a test leads: tests of one rule are written before the place of what follows is known,
 * with these marks in jt and jf. No jump within a rule is that long. */
enum { ON = 0, PASS = 254, FAIL = 255 };

struct tests {
	struct code *code;
	uint32_t loaded; /* offset of the word in the accumulator, or NOTHING */
};
#define NOTHING UINT32_MAX

static void tests_load(struct tests *t, uint32_t offset)
{
	if (t->loaded != offset)
		code_add(t->code, BPF_LD | BPF_W | BPF_ABS, offset, 0, 0);
	t->loaded = offset;
}

static void tests_jump(struct tests *t, uint16_t op, uint32_t value, uint8_t yes, uint8_t no)
{
	code_add(t->code, (uint16_t)(BPF_JMP | op | BPF_K), value, yes, no);
}

static void tests_masked(struct tests *t, uint32_t offset, uint32_t mask, uint32_t value)
{
	if (mask == 0 && value == 0)
		return;
	tests_load(t, offset);
	if (mask != UINT32_MAX) {
		code_add(t->code, BPF_ALU | BPF_AND | BPF_K, mask, 0, 0);
		t->loaded = NOTHING;
	}
	tests_jump(t, BPF_JEQ, value, ON, FAIL);
}

/* 64 bits as two words, the high one first, which often decides alone. */
static void tests_high_word(struct tests *t, const struct runtime_seccomp_condition *c,
			    uint32_t offset)
{
	bool less = c->op == RUNTIME_SECCOMP_LT || c->op == RUNTIME_SECCOMP_LE;
	uint32_t value = (uint32_t)(c->value >> 32);

	tests_load(t, offset);
	if (c->op == RUNTIME_SECCOMP_EQ) {
		tests_jump(t, BPF_JEQ, value, ON, FAIL);
	} else if (c->op == RUNTIME_SECCOMP_NE) {
		tests_jump(t, BPF_JEQ, value, ON, PASS);
	} else {
		tests_jump(t, BPF_JGT, value, less ? FAIL : PASS, ON);
		tests_jump(t, BPF_JEQ, value, ON, less ? PASS : FAIL);
	}
}

static void tests_low_word(struct tests *t, const struct runtime_seccomp_condition *c,
			   uint32_t offset)
{
	static const struct {
		uint16_t op;
		uint8_t yes, no;
	} jumps[] = {
		[RUNTIME_SECCOMP_NE] = { BPF_JEQ, FAIL, ON },
		[RUNTIME_SECCOMP_LT] = { BPF_JGE, FAIL, ON },
		[RUNTIME_SECCOMP_LE] = { BPF_JGT, FAIL, ON },
		[RUNTIME_SECCOMP_EQ] = { BPF_JEQ, ON, FAIL },
		[RUNTIME_SECCOMP_GE] = { BPF_JGE, ON, FAIL },
		[RUNTIME_SECCOMP_GT] = { BPF_JGT, ON, FAIL },
	};

	tests_load(t, offset);
	tests_jump(t, jumps[c->op].op, (uint32_t)c->value, jumps[c->op].yes, jumps[c->op].no);
}

/* On 32-bit ABIs only the low word counts; the kernel zeroes the other. */
static void tests_condition(struct tests *t, const struct runtime_seccomp_condition *c, bool wide)
{
	uint32_t low = (uint32_t)offsetof(struct seccomp_data, args[c->index]);

	if (c->op == RUNTIME_SECCOMP_MASKED_EQ) {
		if (wide)
			tests_masked(t, low + 4, (uint32_t)(c->mask >> 32),
				     (uint32_t)(c->value >> 32));
		tests_masked(t, low, (uint32_t)c->mask, (uint32_t)c->value);
		return;
	}
	if (wide)
		tests_high_word(t, c, low + 4);
	tests_low_word(t, c, low);
}

static void code_resolve(struct code *code, size_t from, uint8_t mark)
{
	for (size_t i = from; i < code->count; i++) {
		struct sock_filter *item = &code->items[i];
		uint8_t distance = (uint8_t)(code->count - i - 1);
		if (BPF_CLASS(item->code) != BPF_JMP)
			continue;
		if (item->jt == mark)
			item->jt = distance;
		if (item->jf == mark)
			item->jf = distance;
	}
}

/* What the accumulator holds is only known to the next rule if there was but one load. */
static void tests_rule(struct tests *t, const struct runtime_seccomp_rule *rule, bool wide)
{
	size_t start = t->code->count;
	uint32_t before = t->loaded;

	for (size_t i = 0; i < rule->count; i++) {
		size_t condition = t->code->count;
		tests_condition(t, &rule->conditions[i], wide);
		code_resolve(t->code, condition, PASS);
		if (i + 1 < rule->count)
			t->loaded = NOTHING;
	}
	size_t loads = before != NOTHING && before == t->loaded ? 1 : 0;
	for (size_t i = start; i < t->code->count; i++)
		loads += BPF_CLASS(t->code->items[i].code) == BPF_LD;
	if (loads > 1)
		t->loaded = NOTHING;
	code_return(t->code, rule->action);
	code_resolve(t->code, start, FAIL);
}

static void code_chain(struct code *code, const struct runtime_seccomp_program *program,
		       uint16_t chain, uint32_t fallback, bool wide)
{
	struct tests t = { .code = code, .loaded = NOTHING };

	while (chain) {
		const struct runtime_seccomp_link *link = &program->links[chain - 1];
		tests_rule(&t, &program->rules[link->rule], wide);
		chain = link->next;
	}
	code_return(code, fallback);
}

/* Numbers from start on (to the start of the next range) with one fate. */
struct range {
	uint32_t start;
	uint32_t action;
	uint16_t chain; /* not 0: its tests decide, and action is the fallback */
};

struct ranges {
	struct range *items;
	size_t count;
};

static void ranges_clear(struct ranges *ranges)
{
	free(ranges->items);
}

static void ranges_add(struct ranges *ranges, const struct runtime_seccomp_program *program,
		       uint32_t start, uint16_t chain, uint32_t fallback)
{
	struct range range = { .start = start, .action = fallback, .chain = chain };

	for (; chain; chain = program->links[chain - 1].next) {
		const struct runtime_seccomp_rule *rule =
			&program->rules[program->links[chain - 1].rule];
		if (rule->count == 0) {
			range.action = rule->action;
			range.chain = 0;
			break;
		}
	}
	if (ranges->count > 0) {
		const struct range *last = &ranges->items[ranges->count - 1];
		if (!range.chain && !last->chain && last->action == range.action)
			return;
	}
	*shape_list_add(ranges) = range;
}

static void ranges_of(struct ranges *ranges, const struct runtime_seccomp_program *program,
		      enum runtime_syscall_abi number)
{
	const struct runtime_seccomp_abi *abi = &program->abis[number];

	for (uint32_t i = 0; i < RUNTIME_SECCOMP_NUMBERS; i++)
		ranges_add(ranges, program, i, abi->chain[i], abi->fallback[i]);
	ranges_add(ranges, program, RUNTIME_SECCOMP_NUMBERS, 0, abi->beyond);
	for (size_t i = 0; i < abi->far_count; i++) {
		ranges_add(ranges, program, abi->far[i].number, abi->far[i].chain,
			   abi->far[i].fallback);
		if (i + 1 == abi->far_count || abi->far[i + 1].number > abi->far[i].number + 1)
			ranges_add(ranges, program, abi->far[i].number + 1, 0, abi->beyond);
	}
	if (number == RUNTIME_SYSCALL_X86_64 && !program->abis[RUNTIME_SYSCALL_X32].used)
		ranges_add(ranges, program, RUNTIME_SYSCALL_X32_BIT, 0, program->foreign);
}

static void code_tree(struct code *code, const struct runtime_seccomp_program *program,
		      const struct range *ranges, size_t count, bool wide)
{
	size_t half = count / 2;

	if (count == 1) {
		if (ranges->chain)
			code_chain(code, program, ranges->chain, ranges->action, wide);
		else
			code_return(code, ranges->action);
		return;
	}
	size_t node = code_add(code, BPF_JMP | BPF_JGE | BPF_K, ranges[half].start, 0, 0);
	code_tree(code, program, ranges, half, wide);
	size_t length = code->count - node - 1;
	if (length <= JUMP_MAX) {
		code->items[node].jt = (uint8_t)length;
	} else {
		code_insert(code, node + 1);
		code->items[node].jf = 1;
		code->items[node + 1] =
			(struct sock_filter){ .code = BPF_JMP | BPF_JA, .k = (uint32_t)length };
	}
	code_tree(code, program, ranges + half, count - half, wide);
}

static void code_abi(struct code *code, const struct runtime_seccomp_program *program,
		     enum runtime_syscall_abi abi)
{
	own_clear(ranges_clear) struct ranges ranges = { 0 };
	bool wide = abi == RUNTIME_SYSCALL_X86_64 || abi == RUNTIME_SYSCALL_X32 ||
		    abi == RUNTIME_SYSCALL_AARCH64;

	ranges_of(&ranges, program, abi);
	for (size_t i = 0; abi == RUNTIME_SYSCALL_X32 && i < ranges.count; i++)
		ranges.items[i].start += RUNTIME_SYSCALL_X32_BIT;
	code_tree(code, program, ranges.items, ranges.count, wide);
}

static void code_architecture(struct code *code, const struct runtime_seccomp_program *program,
			      enum runtime_syscall_abi abi)
{
	bool x32 = abi == RUNTIME_SYSCALL_X86_64 && program->abis[RUNTIME_SYSCALL_X32].used;

	code_add(code, BPF_JMP | BPF_JEQ | BPF_K, runtime_syscall_architectures[abi], 1, 0);
	size_t next = code_add(code, BPF_JMP | BPF_JA, 0, 0, 0);
	code_add(code, BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr), 0, 0);
	if (x32) {
		code_add(code, BPF_JMP | BPF_JGE | BPF_K, RUNTIME_SYSCALL_X32_BIT, 0, 1);
		size_t other = code_add(code, BPF_JMP | BPF_JA, 0, 0, 0);
		code_abi(code, program, RUNTIME_SYSCALL_X86_64);
		code_land(code, other);
		code_abi(code, program, RUNTIME_SYSCALL_X32);
	} else {
		code_abi(code, program, abi);
	}
	code_land(code, next);
}

int runtime_seccomp_program_emit(struct runtime_seccomp_filter *ret,
				 const struct runtime_seccomp_program *program, struct err *e)
{
	struct code code = { 0 };

	code_add(&code, BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch), 0, 0);
	for (size_t i = 0; i < RUNTIME_SYSCALL_ABIS; i++) {
		if (program->abis[i].used && i != RUNTIME_SYSCALL_X32)
			code_architecture(&code, program, (enum runtime_syscall_abi)i);
	}
	code_return(&code, program->foreign);
	if (code.count > BPF_MAXINSNS) {
		free(code.items);
		return err_set(e, ERR_INVALID,
			       "the seccomp profile needs %zu instructions, the kernel takes %d",
			       code.count, BPF_MAXINSNS);
	}
	ret->items = code.items;
	ret->count = code.count;
	return 0;
}
