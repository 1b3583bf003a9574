/* The parser: a text to a tree, macros unfolded.
 */
#pragma once

#include "api/cel/cel_node.h"
#include "api/cel/cel_source.h"

/* The tree, in ARENA, which must outlive it as SOURCE's text must; NULL with faults in SOURCE. */
struct cel_node *cel_parse(struct cel_source *source, struct cel_arena *arena);

/* Inside of the parser, cel_macro.c: when NODE, a call whose arguments are parsed, is one of a macro, makes
 * it what the macro means. False: a fault has been told. */
bool cel_macro(struct cel_source *source, struct cel_arena *arena, struct cel_node *node);
