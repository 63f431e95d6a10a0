/* The version of the interface between the library and `burble/native/` in Python. */
#ifndef BURBLE_INTERFACE_H
#define BURBLE_INTERFACE_H

#include <stdint.h>

#define BURBLE_API __attribute__((visibility("default")))

/* Increase this whenever an exported function or a struct that Python shares changes, so that
 * Python refuses a library compiled from other sources. native/library.py has the same number. */
#define BURBLE_INTERFACE 5

/* Write up to `room` numbers to `facts`: BURBLE_INTERFACE, the number of kernels that this machine
 * can run, and the sizes of the shared structs. Returns how many numbers there are in all. The
 * signature of this function never changes, so that any build can be asked. */
BURBLE_API int32_t burble_interface(int64_t *facts, int32_t room);

#endif
