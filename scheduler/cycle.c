#include "scheduler/cycle.h"

#include <stdlib.h>
#include <string.h>

#include "lib/mem.h"

/* Reasons and on how many nodes each was given. */
struct tally {
	struct {
		char *text;
		size_t count;
	} * rows;
	size_t n;
};

static void tally_add(const char *text, void *arg)
{
	struct tally *tally = arg;
	size_t i = 0;

	while (i < tally->n && strcmp(tally->rows[i].text, text) != 0)
		i++;
	if (i == tally->n) {
		tally->rows = mem_realloc_array(tally->rows, tally->n + 1, sizeof(*tally->rows));
		tally->rows[tally->n].text = mem_dup(text);
		tally->rows[tally->n++].count = 0;
	}
	tally->rows[i].count++;
}

static void tally_close(struct tally *tally)
{
	for (size_t i = 0; i < tally->n; i++)
		free(tally->rows[i].text);
	free(tally->rows);
}

/* The static filters and preferences. */
static void judge_static(struct shape_verdict *v, const struct shape *shape,
			 const struct node_account *account)
{
	const struct node *node = account->node;

	*v = (struct shape_verdict){ .static_generation = account->static_generation };
	for (size_t i = 0; i < n_static_filters && !v->filter; i++)
		if (!static_filters[i].fits(shape, account, NULL, NULL))
			v->filter = (uint8_t)(i + 1);
	if (v->filter)
		return;
	v->preference = affinity_preference(&shape->affinity, node->labels, node->name);
	for (size_t i = 0; i < node->n_taints; i++)
		if (node->taints[i].effect == TAINT_PREFER_NO_SCHEDULE && v->prefer_taints < UINT16_MAX &&
		    !taint_tolerated(&node->taints[i], shape->tolerations, shape->n_tolerations))
			v->prefer_taints++;
}

static bool fits_now(const struct shape *shape, const struct node_account *account)
{
	for (size_t i = 0; i < n_dynamic_filters; i++)
		if (!dynamic_filters[i].fits(shape, account, NULL, NULL))
			return false;
	return true;
}

static int64_t sum_scores(const struct score *const *which, size_t n, const struct score_input *input)
{
	int64_t sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += which[i]->weight * which[i]->of(input);
	return sum;
}

static void judge_load(struct shape_verdict *v, const struct shape *shape, const struct node_account *account)
{
	struct score_input input = { .shape = shape, .account = account, .verdict = v };
	const struct score *kept[MAX_SCORES];
	size_t n = 0;

	for (size_t i = 0; i < n_scores; i++)
		if (scores[i].kept)
			kept[n++] = &scores[i];
	v->load_generation = account->load_generation;
	v->fits = fits_now(shape, account);
	v->load_score = v->fits ? (int32_t)sum_scores(kept, n, &input) : 0;
}

/* Brings V up to date; a node where nothing changed since costs two comparisons. True: the pod fits there. */
static bool judge(struct shape_verdict *v, const struct shape *shape, const struct node_account *account)
{
	if (v->static_generation != account->static_generation)
		judge_static(v, shape, account);
	if (v->filter)
		return false;
	if (v->load_generation != account->load_generation)
		judge_load(v, shape, account);
	return v->fits;
}

/* The node with the best score; among equals the first from a start that moves with each decision. INPUT has
 * the largest values among the candidates. */
static struct node_account *choose(struct node_account **candidates, size_t n,
				   const struct shape_verdict *verdicts, const struct owner_group *group,
				   uint64_t turn, struct score_input *input)
{
	const struct score *differ[MAX_SCORES];
	size_t n_differ = 0;
	struct node_account *best = NULL;
	int64_t best_score = -1;

	/* Without preferences and neighbours none does. */
	for (size_t i = 0; i < n_scores; i++)
		if (!scores[i].kept && !scores[i].alike(input))
			differ[n_differ++] = &scores[i];

	for (size_t k = 0, i = turn % n; k < n; k++, i = i + 1 < n ? i + 1 : 0) {
		struct node_account *account = candidates[i];
		int64_t score = verdicts[account->slot].load_score;
		if (n_differ) {
			input->account = account;
			input->verdict = &verdicts[account->slot];
			input->owner_pods = node_owner_count(group, account->slot);
			score += sum_scores(differ, n_differ, input);
		}
		if (score > best_score) {
			best_score = score;
			best = account;
		}
	}
	return best;
}

static int compare_texts(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* "2 Insufficient cpu, 1 node(s) ...", each reason as text first, then sorted: as Kubernetes orders them. */
static void write_tally(struct buf *b, const struct tally *tally)
{
	CLEANUP(mem_freep) char **texts = mem_zalloc((tally->n + 1) * sizeof(*texts));

	for (size_t i = 0; i < tally->n; i++)
		texts[i] = mem_printf("%zu %s", tally->rows[i].count, tally->rows[i].text);
	qsort(texts, tally->n, sizeof(*texts), compare_texts);
	for (size_t i = 0; i < tally->n; i++) {
		buf_str(b, i ? ", " : "");
		buf_str(b, texts[i]);
		free(texts[i]);
	}
}

/* Ending pods frees a node only for what pods hold, and only up to what the node has at all. */
static bool too_large(const struct shape *shape, const struct node_account *account)
{
	struct node_account empty = { .node = account->node };

	return !fits_now(shape, &empty);
}

/* Goes over all nodes again, now for the reasons: the common case never comes here. */
static void explain(const struct nodes *nodes, const struct shape *shape,
		    const struct shape_verdict *verdicts, struct decision *ret)
{
	CLEANUP(tally_close) struct tally reasons = { 0 }, preemption = { 0 };
	size_t n = 0;

	ret->waits_for = WAKE_NODE_CHANGED;
	for (size_t slot = 0; slot < nodes->n_slots; slot++) {
		const struct node_account *account = nodes->by_slot[slot];
		if (!account || !account->node)
			continue;
		n++;
		const struct shape_verdict *v = &verdicts[slot];
		bool resolvable = !v->filter && !too_large(shape, account);
		if (v->filter) {
			tally_add(static_filters[v->filter - 1].reason, &reasons);
			ret->waits_for |= static_filters[v->filter - 1].wakes;
		}
		for (size_t i = 0; !v->filter && i < n_dynamic_filters; i++) {
			const struct filter *f = &dynamic_filters[i];
			if (f->fits(shape, account, f->reason ? NULL : tally_add, &reasons))
				continue;
			if (f->reason)
				tally_add(f->reason, &reasons);
			ret->waits_for |= f->wakes;
			break; /* the first filter that refuses a node speaks for it */
		}
		tally_add(resolvable ? "No preemption victims found for incoming pod"
				     : "Preemption is not helpful for scheduling",
			  &preemption);
	}
	if (n == 0) {
		buf_str(&ret->message, "no nodes available to schedule pods");
		return;
	}
	buf_printf(&ret->message, "0/%zu nodes are available: ", n);
	write_tally(&ret->message, &reasons);
	buf_printf(&ret->message,
		   ". no new claims to deallocate, preemption: 0/%zu nodes are available: ", n);
	write_tally(&ret->message, &preemption);
	buf_char(&ret->message, '.');
}

void cycle_decide(const struct nodes *nodes, const struct pod *pod, uint64_t turn, struct decision *ret)
{
	CLEANUP(mem_freep)
	struct node_account **candidates = mem_alloc((nodes->n_slots + 1) * sizeof(*candidates));
	struct shape *shape = pod->shape;
	struct shape_verdict *verdicts = shape_verdicts(shape, nodes->n_slots);
	const struct owner_group *group = node_owner_group(nodes, pod->owner_uid);
	struct score_input input = { .shape = shape };
	size_t n = 0;

	*ret = (struct decision){ .message = BUF_INIT };
	for (size_t slot = 0; slot < nodes->n_slots; slot++) {
		struct node_account *account = nodes->by_slot[slot];
		struct shape_verdict *v = &verdicts[slot];
		if (!account || !account->node || !judge(v, shape, account))
			continue;
		uint32_t owned = node_owner_count(group, slot);
		if (owned > input.most_owner_pods)
			input.most_owner_pods = owned;
		if (v->preference > input.most_preference)
			input.most_preference = v->preference;
		if (v->prefer_taints > input.most_prefer_taints)
			input.most_prefer_taints = v->prefer_taints;
		candidates[n++] = account;
	}
	if (n > 0)
		ret->chosen = choose(candidates, n, verdicts, group, turn, &input);
	else
		explain(nodes, shape, verdicts, ret);
}
