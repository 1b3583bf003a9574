#include "api/resource_set.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "lib/mem.h"

static struct {
	pthread_rwlock_t lock;
	struct resource_set *set; /* NULL: nothing but what is built in */
	_Atomic uint64_t generation;
	struct resource_slot **slots; /* by index less those of built-in resources; NULL: free */
	size_t n_slots;
} registry = { .lock = PTHREAD_RWLOCK_INITIALIZER };

/* --- references --- */

const struct resource *resource_ref(const struct resource *resource)
{
	if (resource && resource->family)
		atomic_fetch_add_explicit(&resource->family->refs, 1, memory_order_relaxed);
	return resource;
}

void resource_family_unref(struct resource_family *family)
{
	if (family && atomic_fetch_sub_explicit(&family->refs, 1, memory_order_acq_rel) == 1)
		family->free(family);
}

void resource_unref(const struct resource *resource)
{
	if (resource)
		resource_family_unref(resource->family);
}

/* --- slots --- */

/* Their indexes follow those of built-in resources. */
static unsigned first_index(void)
{
	size_t n;

	resource_all(&n);
	return (unsigned)n;
}

/* The slot of that name, or the place for a new one. With the lock. */
static size_t find_slot(const char *group, const char *plural)
{
	size_t free_ = registry.n_slots;

	for (size_t i = registry.n_slots; i-- > 0;) {
		const struct resource_slot *slot = registry.slots[i];

		if (!slot)
			free_ = i;
		else if (!atomic_load(&slot->retired) && !strcmp(slot->plural, plural) &&
			 !strcmp(slot->group, group))
			return i;
	}
	return free_;
}

struct resource_slot *resource_slot_new(const char *group, const char *plural)
{
	struct resource_slot *slot;
	size_t i;

	pthread_rwlock_wrlock(&registry.lock);
	i = find_slot(group, plural);
	if (i == registry.n_slots) {
		registry.slots = mem_realloc_array(registry.slots, i + 1, sizeof(struct resource_slot *));
		registry.slots[registry.n_slots++] = NULL;
	}
	slot = registry.slots[i];
	if (!slot) {
		slot = mem_zalloc(sizeof(*slot));
		slot->index = first_index() + (unsigned)i;
		slot->group = mem_dup(group);
		slot->plural = mem_dup(plural);
		registry.slots[i] = slot;
	}
	slot->refs++;
	pthread_rwlock_unlock(&registry.lock);
	return slot;
}

struct resource_slot *resource_slot_ref(struct resource_slot *slot)
{
	pthread_rwlock_wrlock(&registry.lock);
	slot->refs++;
	pthread_rwlock_unlock(&registry.lock);
	return slot;
}

void resource_slot_unref(struct resource_slot *slot)
{
	bool last;

	if (!slot)
		return;
	pthread_rwlock_wrlock(&registry.lock);
	last = --slot->refs == 0;
	if (last)
		registry.slots[slot->index - first_index()] = NULL;
	pthread_rwlock_unlock(&registry.lock);
	if (!last)
		return;
	free(slot->group);
	free(slot->plural);
	free(slot);
}

/* --- holders --- */

struct holder {
	struct resource_family family;
	struct resource resource;
	struct kind kind;
};

static void free_holder(struct resource_family *family)
{
	struct holder *row = CONTAINER_OF(family, struct holder, family);
	struct resource *resource = &row->resource;

	for (size_t i = 0; row->kind.selectable_fields && row->kind.selectable_fields[i]; i++)
		free((char *)row->kind.selectable_fields[i]);
	free((void *)row->kind.selectable_fields);
	free((char *)resource->version);
	free((char *)resource->group_version);
	free((char *)resource->kind_name);
	free((char *)resource->list_kind);
	free((char *)resource->qualified);
	resource_slot_unref(resource->slot);
	free(row);
}

static const char *const *copy_strings(const char *const *strings)
{
	const char **copy;
	size_t n = 0;

	while (strings && strings[n])
		n++;
	if (!n)
		return NULL;
	copy = mem_zalloc((n + 1) * sizeof(*copy));
	for (size_t i = 0; i < n; i++)
		copy[i] = mem_dup(strings[i]);
	return copy;
}

const struct resource *resource_holder_new(struct resource_slot *slot, const char *version,
					   const char *kind_name, bool namespaced,
					   const char *const *selectable_fields)
{
	static const char *const none[] = { NULL };
	struct holder *row = mem_zalloc(sizeof(*row));

	atomic_init(&row->family.refs, 1);
	row->family.free = free_holder;
	row->kind.selectable_fields = copy_strings(selectable_fields);
	row->resource = (struct resource){
		.index = slot->index,
		.stored = &row->resource,
		.holder = &row->resource,
		.group = slot->group,
		.version = mem_dup(version),
		.group_version = mem_printf("%s/%s", slot->group, version),
		.plural = slot->plural,
		.singular = "",
		.kind_name = mem_dup(kind_name),
		.list_kind = mem_printf("%sList", kind_name),
		.short_names = none,
		.categories = none,
		.namespaced = namespaced,
		.kind = &row->kind,
		.qualified = mem_printf("%s.%s", slot->plural, slot->group),
		.family = &row->family,
		.slot = resource_slot_ref(slot),
	};
	return &row->resource;
}

/* --- sets --- */

static struct resource_set *set_new(size_t cap)
{
	struct resource_set *set = mem_zalloc(sizeof(*set) + cap * sizeof(set->rows[0]));

	atomic_init(&set->refs, 1);
	return set;
}

static struct resource_set *set_of_builtin(void)
{
	size_t n;
	const struct resource *all = resource_all(&n);
	struct resource_set *set = set_new(n);

	for (size_t i = 0; i < n; i++)
		set->rows[set->n++] = &all[i];
	return set;
}

struct resource_set *resource_set_get(void)
{
	struct resource_set *set;

	pthread_rwlock_rdlock(&registry.lock);
	set = registry.set;
	if (set)
		atomic_fetch_add_explicit(&set->refs, 1, memory_order_relaxed);
	pthread_rwlock_unlock(&registry.lock);
	return set ? set : set_of_builtin();
}

void resource_set_put(struct resource_set *set)
{
	if (!set || atomic_fetch_sub_explicit(&set->refs, 1, memory_order_acq_rel) != 1)
		return;
	for (size_t i = 0; i < set->n; i++)
		resource_unref(set->rows[i]);
	free(set);
}

void resource_set_putp(struct resource_set **set)
{
	resource_set_put(*set);
	*set = NULL;
}

uint64_t resource_generation(void)
{
	return atomic_load_explicit(&registry.generation, memory_order_acquire);
}

static int compare_rows(const void *a, const void *b)
{
	return resource_compare(*(const struct resource *const *)a, *(const struct resource *const *)b);
}

/* What comes instead of BEFORE, or NULL when two rows would have one name. */
static struct resource_set *set_after(const struct resource_set *before, const struct resource_family *old,
				      const struct resource *const *rows, size_t n)
{
	struct resource_set *set = set_new(before->n + n);
	bool twice = false;

	for (size_t i = 0; i < before->n; i++)
		if (!old || before->rows[i]->family != old)
			set->rows[set->n++] = resource_ref(before->rows[i]);
	for (size_t i = 0; i < n; i++)
		set->rows[set->n++] = resource_ref(rows[i]);
	qsort(set->rows, set->n, sizeof(set->rows[0]), compare_rows);
	for (size_t i = 1; i < set->n; i++)
		twice |= resource_compare(set->rows[i - 1], set->rows[i]) == 0;
	if (twice)
		resource_set_put(TAKE(set));
	return set;
}

bool resource_publish(const struct resource_family *old, const struct resource *const *rows, size_t n)
{
	struct resource_set *after, *before;

	pthread_rwlock_wrlock(&registry.lock);
	if (!registry.set)
		registry.set = set_of_builtin();
	before = registry.set;
	after = set_after(before, old, rows, n);
	if (after) {
		after->generation = before->generation + 1;
		registry.set = after;
		atomic_store_explicit(&registry.generation, after->generation, memory_order_release);
	}
	pthread_rwlock_unlock(&registry.lock);
	/* Outside of the lock, which the last reference to a slot takes. */
	if (after)
		resource_set_put(before);
	return after != NULL;
}

/* --- looking up --- */

static int compare_key(const void *key, const void *row)
{
	return resource_compare(key, *(const struct resource *const *)row);
}

static bool anything_published(void)
{
	return resource_generation() > 0;
}

const struct resource *resource_take(const char *group, const char *version, const char *plural)
{
	const struct resource key = { .group = group, .version = version, .plural = plural };
	const struct resource *builtin = resource_find(group, version, plural), *found = NULL;
	const struct resource *const *row;

	if (builtin || !anything_published())
		return builtin;
	pthread_rwlock_rdlock(&registry.lock);
	row = bsearch(&key, registry.set->rows, registry.set->n, sizeof(registry.set->rows[0]), compare_key);
	if (row)
		found = resource_ref(*row);
	pthread_rwlock_unlock(&registry.lock);
	return found;
}

const struct resource *resource_take_kind(const char *api_version, const char *kind)
{
	const struct resource *found = resource_find_kind(api_version, kind);

	if (found || !anything_published())
		return found;
	pthread_rwlock_rdlock(&registry.lock);
	for (size_t i = 0; i < registry.set->n && !found; i++) {
		const struct resource *row = registry.set->rows[i];

		if (!strcmp(row->kind_name, kind) && !strcmp(row->group_version, api_version))
			found = resource_ref(row);
	}
	pthread_rwlock_unlock(&registry.lock);
	return found;
}

const struct resource *resource_take_stored(const char *group, const char *plural)
{
	CLEANUP(resource_set_putp) struct resource_set *set = resource_set_get();

	for (size_t i = 0; i < set->n; i++) {
		const struct resource *row = set->rows[i];

		if (row->stored == row && !strcmp(row->plural, plural) && !strcmp(row->group, group))
			return resource_ref(row->holder ? row->holder : row);
	}
	return NULL;
}

bool resource_serves(const char *group, const char *version)
{
	bool found = version && resource_group_version_known(group, version);

	if (found || (version && !anything_published()))
		return found;

	CLEANUP(resource_set_putp) struct resource_set *set = resource_set_get();

	for (size_t i = 0; i < set->n && !found; i++)
		found = !strcmp(set->rows[i]->group, group) &&
			(!version || !strcmp(set->rows[i]->version, version));
	return found;
}
