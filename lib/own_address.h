/* By which address other machines find this one. */
#pragma once

#include <stdbool.h>

/* The IPv4 address that the default route leaves from, "127.0.0.1" without one. Caller frees. */
char *own_address(void);
/* TEXT is an address that only this machine itself reaches. */
bool own_address_is_loopback(const char *text);
