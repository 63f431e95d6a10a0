#include "interface.h"

#include "../engine/kernel/choose.h"
#include "../training/learners/native/kernel/learner.h"

int32_t burble_interface(int64_t *facts, int32_t room) {
    int32_t kernels = 0;
    while (burble_kernel_name(kernels)) kernels++;
    const int64_t all[] = {
        BURBLE_INTERFACE,      kernels,
        sizeof(burble_shape),  sizeof(burble_stream),
        sampling_size,         sizeof(burble_reading),
        sizeof(burble_batch),  sizeof(burble_learner_shape),
        sizeof(burble_update), sizeof(burble_figures),
    };
    int32_t count = (int32_t)(sizeof all / sizeof *all);
    for (int32_t i = 0; i < count && i < room; i++) facts[i] = all[i];
    return count;
}
