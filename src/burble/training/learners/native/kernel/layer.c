/* A recurrent layer, forward and backward through time. */
#include <string.h>

#include "pass.h"

/* Return the values of a time. Only training keeps those of all times. */
static float *at_time(const pass *p, float *values, int64_t features, int64_t time) {
    return values + (p->update ? time * time_step(p->space, features) : 0);
}

/* Return the part of a cell's arrays for some units of one group at one time. */
static moment moment_of(const pass *p, int32_t layer, int64_t time, int64_t group, range units) {
    const burble_space *space = p->space;
    const cell_rule *cell = p->learner->cell;
    const layer_space *at = &space->layers[layer];
    int64_t hidden = p->learner->shape.hidden_size, one = time_step(space, hidden);
    int64_t place = group * space->unit + units.first * GROUP;
    float *gates = at_time(p, at->gates, cell->gates * hidden, time) +
                   group * cell->gates * space->unit + units.first * GROUP;
    moment now = {.size = (units.end - units.first) * GROUP};
    for (int32_t i = 0; i < cell->gates; i++) {
        now.gates[i] = gates + i * space->unit;
        if (p->update) now.bias[i] = at->bias + i * space->unit + units.first * GROUP;
    }
    for (int32_t i = 0; i < cell->states; i++) {
        now.before[i] = at->states[i] + time * one + place;
        now.after[i] = at->states[i] + (time + 1) * one + place;
    }
    now.squashed = at_time(p, at->squashed, hidden, time) + place;
    if (cell->apart) now.apart = at_time(p, at->apart, hidden, time) + place;
    if (p->update) {
        now.gradient = space->gradient + place;
        now.carry = space->carry + place;
    }
    return now;
}

/* Return the weights of some outputs. */
static matrix outputs_of(matrix whole, int64_t first, int64_t end) {
    whole.at.values += first * whole.at.stride;
    whole.outputs = end - first;
    return whole;
}

/* Begin the sums of the first layer. The product with a one-hot vector is a column of weights. */
static void read_one_hot(const pass *p, int64_t time, int64_t group, range gates, float *out) {
    const burble_space *space = p->space;
    matrix weights = matrix_of(p->learner, p->kind, input_place(p->learner, 0));
    const float *bias = matrix_of(p->learner, p->kind, bias_place(p->learner, 0)).at.values;
    memset(out, 0, (size_t)(gates.end - gates.first) * GROUP * sizeof *out);
    for (int64_t row = 0; row < rows_in(space, group); row++) {
        int64_t id = p->batch->inputs[time * space->rows + group * GROUP + row];
        float factor = one_hot_factor(p, time, group * GROUP + row, id);
        for (int64_t gate = gates.first; gate < gates.end; gate++)
            out[(gate - gates.first) * GROUP + row] =
                bias[gate] + weights.at.values[gate * weights.at.stride + id] * factor;
    }
}

/* Return the weights of some outputs, with the groups that they are multiplied with. */
static term term_of(const pass *p, int32_t place, range gates, const float *values) {
    matrix weights = outputs_of(matrix_of(p->learner, p->kind, place), gates.first, gates.end);
    term made = {weights, values, weights.inputs * GROUP};
    return made;
}

/* Return the gates' sums of some times, from output `first` on. */
static row_groups sums_of(const pass *p, int32_t layer, int64_t time, int64_t times,
                          int64_t first) {
    int64_t next = p->learner->cell->gates * p->space->unit;
    float *values = at_time(p, p->space->layers[layer].gates, next / GROUP, time);
    row_groups made = {values + first * GROUP, next, times * p->space->groups};
    return made;
}

static range units_of_gate(const pass *p, int32_t gate, range units) {
    int64_t first = gate * p->learner->shape.hidden_size;
    range made = {first + units.first, first + units.end};
    return made;
}

/* Begin the gates' sums of some times: the bias and the sum over the input. */
static void sum_input(const pass *p, int32_t layer, int64_t time, int64_t times, range units) {
    int32_t place = input_place(p->learner, layer);
    const float *bias = matrix_of(p->learner, p->kind, bias_place(p->learner, layer)).at.values;
    const float *input =
        layer ? outputs_at(p, layer - 1, time)
              : p->space->input + time * time_step(p->space, input_size(&p->learner->shape));
    for (int32_t gate = 0; gate < p->learner->cell->gates; gate++) {
        range own = units_of_gate(p, gate, units);
        term over_input = term_of(p, place, own, input);
        p->learner->kernel->forward(&over_input, bias + own.first,
                                    sums_of(p, layer, time, times, own.first));
    }
}

static void pick_input(const pass *p, int64_t time, range units) {
    for (int32_t gate = 0; gate < p->learner->cell->gates; gate++) {
        range own = units_of_gate(p, gate, units);
        row_groups sums = sums_of(p, 0, time, 1, own.first);
        for (int64_t group = 0; group < sums.count; group++)
            read_one_hot(p, time, group, own, sums.values + group * sums.next);
    }
}

/* Add the sum over the state to the gates' sums, or start a separate sum if the cell needs it. */
static void sum_state(const pass *p, int32_t layer, int64_t time, range units) {
    const cell_rule *cell = p->learner->cell;
    const layer_space *at = &p->space->layers[layer];
    int64_t hidden = p->learner->shape.hidden_size, one = time_step(p->space, hidden);
    for (int32_t gate = 0; gate < cell->gates; gate++) {
        range own = units_of_gate(p, gate, units);
        term over_state =
            term_of(p, state_place(p->learner, layer), own, at->states[0] + time * one);
        row_groups sums = sums_of(p, layer, time, 1, own.first);
        if (gate >= cell->gates - cell->apart) {
            sums.values = at_time(p, at->apart, hidden, time) + units.first * GROUP;
            sums.next = p->space->unit;
            for (int64_t group = 0; group < sums.count; group++)
                memset(sums.values + group * sums.next, 0,
                       (size_t)(units.end - units.first) * GROUP * sizeof(float));
        }
        p->learner->kernel->forward(&over_state, NULL, sums);
    }
}

/* Compute the layer's output from h if they differ, by dropout or a residual. */
static void put_out(const pass *p, int32_t layer, int64_t time, int64_t group, range units) {
    const burble_space *space = p->space;
    const learner_kernel *kernel = p->learner->kernel;
    const layer_space *at = &space->layers[layer];
    int64_t one = time_step(space, p->learner->shape.hidden_size);
    int64_t place = group * space->unit + units.first * GROUP;
    int64_t size = (units.end - units.first) * GROUP;
    float *out = at->outputs + time * one + place;
    memcpy(out, at->states[0] + (time + 1) * one + place, (size_t)size * sizeof *out);
    if (layer && p->learner->shape.residual)
        kernel->accumulate(outputs_at(p, layer - 1, time) + place, size, out);
    if (p->update && p->update->dropout > 0) {
        int64_t mask_time = p->update->locked_dropout ? 0 : time;
        kernel->multiply(at->mask + mask_time * one + place, size, out);
    }
}

/* Copy units of a group into columns of rows. */
static void write_rows(const pass *p, const float *group, int64_t count, range units, view rows) {
    view columns = {rows.values + units.first, rows.stride};
    p->learner->kernel->to_rows(group, count, units.end - units.first, columns);
}

/* Compute states and output from the gates' sums. */
static void run_cell(const pass *p, int32_t layer, int64_t time, int64_t group, range units) {
    const burble_space *space = p->space;
    int64_t one = time_step(space, p->learner->shape.hidden_size);
    const layer_space *at = &space->layers[layer];
    moment now = moment_of(p, layer, time, group, units);
    p->learner->cell->forward(&now);
    int64_t place = group * space->unit + units.first * GROUP, count = rows_in(space, group);
    int64_t first = time * space->rows + group * GROUP;
    if (has_outputs(p, layer)) put_out(p, layer, time, group, units);
    if (!p->update) return;
    write_rows(p, now.after[0], count, units, rows_from(at->state_rows, first + space->rows));
    if (has_outputs(p, layer))
        write_rows(p, at->outputs + time * one + place, count, units,
                   rows_from(at->output_rows, first));
}

/* Set the state at the start of the batch: the carried one, or zero in rows that are reset. */
static void start_layer(const pass *p, int32_t layer, range units) {
    const burble_space *space = p->space;
    const layer_space *at = &space->layers[layer];
    for (int64_t group = 0; group < space->groups; group++) {
        int64_t place = group * space->unit, count = rows_in(space, group);
        for (int32_t i = 0; i < p->learner->cell->states; i++)
            for (int64_t unit = units.first; unit < units.end; unit++)
                for (int64_t row = 0; row < GROUP; row++) {
                    int64_t number = place + unit * GROUP + row;
                    int is_fresh = row >= count || p->batch->reset[group * GROUP + row];
                    at->states[i][number] = is_fresh ? 0.0f : at->carried[i][number];
                }
        if (p->update)
            write_rows(p, at->states[0] + place + units.first * GROUP, count, units,
                       rows_from(at->state_rows, group * GROUP));
    }
}

static void run_time(const pass *p, int32_t layer, int64_t time, range units) {
    /* Scoring keeps only one time, so its sums are computed one time after the other. */
    int64_t most = p->update ? times_together(p) : 1, left = p->space->time - time;
    if (layer == 0 && p->learner->shape.input == BURBLE_ONE_HOT)
        pick_input(p, time, units);
    else if (time % most == 0)
        sum_input(p, layer, time, left < most ? left : most, units);
    sum_state(p, layer, time, units);
    for (int64_t group = 0; group < p->space->groups; group++)
        run_cell(p, layer, time, group, units);
}

void run_layer(const pass *p, int32_t thread, int32_t layer) {
    range units = share_of(p, thread, p->learner->shape.hidden_size, GROUP);
    start_layer(p, layer, units);
    barrier(p);
    for (int64_t time = 0; time < p->space->time; time++) {
        if (units.first < units.end) run_time(p, layer, time, units);
        barrier(p);
    }
}

/* Collect the gradient of h for some units of a group, from its output and the next time's sums. */
static void gather_gradient(const pass *p, int32_t layer, int64_t time, int64_t group,
                            range units) {
    const burble_space *space = p->space;
    const learner_kernel *kernel = p->learner->kernel;
    const burble_learner_shape *shape = &p->learner->shape;
    const layer_space *at = &space->layers[layer];
    int64_t one = time_step(space, shape->hidden_size);
    int64_t place = group * space->unit + units.first * GROUP;
    int64_t size = (units.end - units.first) * GROUP, count = rows_in(space, group);
    float *gradient = space->gradient + place;
    view rows = rows_from(space->gradient_rows, time * space->rows + group * GROUP);
    rows.values += units.first;
    kernel->to_group(rows, count, units.end - units.first, gradient);
    if (shape->residual && layer + 1 < shape->num_layers)
        kernel->accumulate(space->layers[layer + 1].passed + time * one + place, size, gradient);
    if (p->update->dropout > 0) {
        int64_t mask_time = p->update->locked_dropout ? 0 : time;
        kernel->multiply(at->mask + mask_time * one + place, size, gradient);
    }
    if (shape->residual && layer)
        memcpy(at->passed + time * one + place, gradient, (size_t)size * sizeof *gradient);
    if (time + 1 == space->time) return;
    view later = {space->state_gradient.values + group * GROUP * space->state_gradient.stride +
                      units.first,
                  space->state_gradient.stride};
    kernel->to_group(later, count, units.end - units.first, space->scratch + place);
    kernel->accumulate(space->scratch + place, size, gradient);
}

static matrix columns_of(matrix whole, range columns) {
    whole.at.values += columns.first;
    whole.inputs = columns.end - columns.first;
    return whole;
}

/* The gradients of some gates' sums, (count, GROUP) each; `first` is their first output. */
typedef struct {
    const float *values;
    int64_t first, count;
} sums_of_gates;

/* Return the gradients of the sums over the state, in two parts if the cell has a separate sum. */
static int32_t state_sums(const pass *p, int32_t layer, sums_of_gates parts[2]) {
    const cell_rule *cell = p->learner->cell;
    const layer_space *at = &p->space->layers[layer];
    int64_t hidden = p->learner->shape.hidden_size;
    sums_of_gates whole = {at->gates, 0, (cell->gates - cell->apart) * hidden};
    sums_of_gates apart = {at->apart, whole.count, hidden};
    parts[0] = whole;
    parts[1] = apart;
    return cell->apart ? 2 : 1;
}

/* Return how many floats a group has. */
static int64_t group_size(const pass *p, const sums_of_gates *sums) {
    int64_t gates = sums->first ? 1 : p->learner->cell->gates;
    return gates * p->space->unit;
}

/* Return the groups of some times, from sum `first` on. */
static lanes lanes_of(const pass *p, const sums_of_gates *sums, int64_t first, range times) {
    int64_t next = group_size(p, sums);
    lanes made = {sums->values + times.first * p->space->groups * next + first * GROUP, next,
                  times.end - times.first, p->space->rows};
    return made;
}

/* Propagate the gradient of one time's sums to the h before it. */
static void learn_state(const pass *p, int32_t layer, int64_t time, range units) {
    matrix whole =
        columns_of(matrix_of(p->learner, p->kind, state_place(p->learner, layer)), units);
    view out = p->space->state_gradient;
    out.values += units.first;
    sums_of_gates parts[2];
    int32_t count = state_sums(p, layer, parts);
    range now = {time, time + 1};
    for (int32_t i = 0; i < count; i++) {
        matrix weights = outputs_of(whole, parts[i].first, parts[i].first + parts[i].count);
        lanes d = lanes_of(p, &parts[i], 0, now);
        p->learner->kernel->backward(&weights, &d, out, i > 0);
    }
}

static void learn_weights(const pass *p, int32_t thread, int32_t layer) {
    const burble_learner *learner = p->learner;
    const burble_space *space = p->space;
    matrix state = matrix_of(learner, BURBLE_GRADIENTS, state_place(learner, layer));
    matrix input = matrix_of(learner, BURBLE_GRADIENTS, input_place(learner, layer));
    int is_one_hot = layer == 0 && learner->shape.input == BURBLE_ONE_HOT;
    range times = {0, space->time};
    sums_of_gates parts[2], all = {space->layers[layer].gates, 0, input.outputs};
    for (int32_t i = state_sums(p, layer, parts) - 1; i >= 0; i--) {
        range own = share_of(p, thread, parts[i].count, GROUP);
        matrix to = outputs_of(state, parts[i].first + own.first, parts[i].first + own.end);
        lanes d = lanes_of(p, &parts[i], own.first, times);
        learner->kernel->outer(&to, &d, space->layers[layer].state_rows, 0);
    }
    if (is_one_hot) return;
    range own = share_of(p, thread, input.outputs, GROUP);
    matrix to = outputs_of(input, own.first, own.end);
    lanes d = lanes_of(p, &all, own.first, times);
    learner->kernel->outer(&to, &d, layer ? output_rows(p, layer - 1) : space->input_rows, 0);
}

/* Add the rows of a group in their order. */
static void learn_bias(const pass *p, int32_t thread, int32_t layer) {
    matrix gradient = matrix_of(p->learner, BURBLE_GRADIENTS, bias_place(p->learner, layer));
    range own = share_of(p, thread, gradient.inputs, GROUP);
    for (int64_t gate = own.first; gate < own.end; gate++) {
        float sum = 0.0f;
        for (int64_t row = 0; row < GROUP; row++)
            sum += p->space->layers[layer].bias[gate * GROUP + row];
        gradient.at.values[gate] = sum;
    }
}

/* Propagate the gradient to the layer's input. A scalar or one-hot input needs none. */
static void learn_below(const pass *p, int32_t thread, int32_t layer) {
    const burble_space *space = p->space;
    if (layer == 0 && p->learner->shape.input != BURBLE_EMBEDDING) return;
    matrix whole = matrix_of(p->learner, p->kind, input_place(p->learner, layer));
    range columns = share_of(p, thread, whole.inputs, GROUP);
    if (columns.first == columns.end) return;
    matrix weights = columns_of(whole, columns);
    sums_of_gates all = {space->layers[layer].gates, 0, whole.outputs};
    range times = {0, 0};
    for (; times.first < space->time; times.first = times.end) {
        times.end = times.first + times_together(p);
        if (times.end > space->time) times.end = space->time;
        lanes d = lanes_of(p, &all, 0, times);
        view out = rows_from(space->gradient_rows, times.first * space->rows);
        out.values += columns.first;
        p->learner->kernel->backward(&weights, &d, out, 0);
    }
}

void learn_layer(const pass *p, int32_t thread, int32_t layer) {
    const burble_space *space = p->space;
    int64_t hidden = p->learner->shape.hidden_size;
    range units = share_of(p, thread, hidden, GROUP);
    int64_t size = (units.end - units.first) * GROUP;
    for (int64_t group = 0; group < space->groups; group++)
        memset(space->carry + group * space->unit + units.first * GROUP, 0,
               (size_t)size * sizeof(float));
    for (int32_t gate = 0; gate < p->learner->cell->gates; gate++)
        memset(space->layers[layer].bias + gate * space->unit + units.first * GROUP, 0,
               (size_t)size * sizeof(float));
    for (int64_t time = space->time - 1; time >= 0; time--) {
        for (int64_t group = 0; group < space->groups && size; group++) {
            gather_gradient(p, layer, time, group, units);
            moment now = moment_of(p, layer, time, group, units);
            p->learner->cell->backward(&now);
        }
        barrier(p);
        if (time && size) learn_state(p, layer, time, units);
    }
    count_time(p, thread, BACKWARD);
    learn_weights(p, thread, layer);
    learn_bias(p, thread, layer);
    count_time(p, thread, WEIGHTS);
    learn_below(p, thread, layer);
    barrier(p);
    count_time(p, thread, BELOW);
}
