/* A disk that fails on demand: an SQLite VFS in front of the unix one, and SQLite's memory allocation beside
 * it. It counts the calls that SQLite makes and lets one fail, or all from one on; disk_image.h keeps what a
 * power cut would leave. Real syncs are left out: the image stands for the disk.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* Bits: which calls count and fail. */
enum disk_call {
	DISK_WRITE = 1,          /* fails as a full disk or EIO, perhaps after a part was written */
	DISK_SYNC = 2,           /* EIO; see disk_image_sync_failed */
	DISK_READ = 4,           /* EIO */
	DISK_TRUNCATE = 8,       /* EIO */
	DISK_OPEN = 16,          /* EMFILE */
	DISK_REMOVE = 32,        /* EIO */
	DISK_STAT = 64,          /* of size and existence: EIO */
	DISK_LOCK = 128,         /* EIO */
	DISK_SHARED = 256,       /* the shared memory of the log's index: ENOMEM */
	DISK_SHARED_LOCK = 1024, /* a lock in it: taken */
	DISK_MEMORY = 512,       /* SQLite's own allocations: none left */
	DISK_CHANGES = DISK_WRITE | DISK_SYNC | DISK_TRUNCATE | DISK_REMOVE
};

enum disk_fault_kind {
	DISK_ONCE,    /* that call alone */
	DISK_LASTING, /* that one and all of its kinds after it */
	DISK_DEAD /* the process is as good as gone: from that call on nothing changes on the disk any more */
};

struct disk_fault {
	unsigned calls;
	unsigned nth; /* from 1 */
	enum disk_fault_kind kind;
	bool full; /* writes fail with ENOSPC instead of EIO */
	uint64_t seed;
};

/* Makes it SQLite's default VFS; before any use of SQLite. */
void faulty_disk_install(void);
/* From here on calls are counted, and FAULT happens. */
void faulty_disk_arm(const struct disk_fault *fault);
/* The disk works again. Whether the fault had happened. */
bool faulty_disk_heal(void);
/* Calls that failed since the start. */
unsigned long faulty_disk_faults(void);
