/* Any processor with a C compiler. Without fused multiply-add in hardware, fmaf is exact but slow.
 */
#include <math.h>

#include "kernel.h"

#define TARGET
typedef float vec;
#define WIDTH 1
#define load(place) (*(place))
#define store(place, x) (*(place) = (x))
#define fill(x) (x)
#define multiply_add(sum, a, b) fmaf(a, b, sum)
#define FORWARD_TILE 1
#define FORWARD_CASES CASES_TO_1
#define BACKWARD_TILE 1
#define BACKWARD_CASES CASES_TO_1
#define SIDE 1
#define WIDE GROUP
#include "elementwise.h"
#include "products.h"
#include "probe.h"
#define SQUARE 1
#include "transpose.h"

static int is_available(void) { return 1; }

const learner_kernel portable_learner = {.name = "portable", ELEMENTWISE, PRODUCTS};
