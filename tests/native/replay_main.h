/* The program around the replay of each case. Who includes it at its end has replay_case,
 * take_case, replay and drop_case defined, and KERNEL_NAME, which gives the name of a kernel by its
 * place. */
int main(int argc, char **argv) {
    if (argc < 2) fail("replay FILE [CASES]");
    FILE *file = fopen(argv[1], "rb");
    if (!file) fail("the file cannot be read");
    int64_t cases, most = argc > 2 ? strtoll(argv[2], NULL, 10) : INT64_MAX;
    take_into(file, &cases, sizeof cases);
    if (cases > most) cases = most;
    for (int64_t number = 0; number < cases; number++) {
        replay_case c = {.number = number};
        take_case(file, &c);
        replay(&c);
        drop_case(&c);
    }
    fclose(file);
    const char *name;
    printf("kernels:");
    for (int32_t place = 0; (name = KERNEL_NAME(place)) != NULL; place++) printf(" %s", name);
    printf("\ncases: %" PRId64 "\n", cases);
    return 0;
}
