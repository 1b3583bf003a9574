/* Sets of characters under construction. */
#pragma once

#include "lib/pattern_tree.h"

#define CHAR_MAX_ 0x10FFFFU

/* Adds the characters LOW to HIGH. */
void class_add(struct char_class *set, uint32_t low, uint32_t high);
/* Adds those of a class by name: 'd', 's', 'w', or upper case for all others. False: no such class. */
bool class_add_perl(struct char_class *set, char name);
/* Adds [:NAME:], or all others when NEGATED. */
bool class_add_posix(struct char_class *set, const char *name, size_t len, bool negated);
/* ASCII letters in both cases when one is in it. */
void class_fold(struct char_class *set);
void class_negate(struct char_class *set);
/* Sorts and joins: before it is searched. */
void class_finish(struct char_class *set);
bool class_has(const struct char_class *set, uint32_t c);
void class_close(struct char_class *set);
