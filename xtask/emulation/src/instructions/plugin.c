/* QEMU plugin: how many instructions a program executes between two marker instructions, exactly.
 *
 * A marker is an instruction that does nothing and that no compiler emits (tests/marker/src/lib.rs has the other side):
 *
 *            start                stop
 *   Thumb    mov r9, r9   46c9    mov r10, r10   46d2
 *   A64      mov x9, x9  aa0903e9 mov x10, x10  aa0a03ea
 *
 * A region is what runs from a start to the stop that closes it; regions follow each other or lie within each other.
 * Each is known by its index: how many starts came before its own. Markers themselves are never counted.
 *
 * Written to QEMU's log (-d plugin -D FILE), one line each:
 *   region INDEX INSTRUCTIONS   at each stop
 *   fault TEXT                  where starts and stops do not pair up: no count can be trusted then
 *   end                         when the program has ended, so that a log cut short can be told
 *
 * The declarations are those of QEMU's plugin interface, version 1 (QEMU 6 to 8), which Debian ships without a header.
 * One counter for all threads: a region must be the only thread at work.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

typedef uint64_t qemu_plugin_id_t;
struct qemu_plugin_tb;
struct qemu_plugin_insn;
/* The rest of it is not needed here. */
struct qemu_info {
    const char *target_name;
};
enum { QEMU_PLUGIN_CB_NO_REGS = 0, QEMU_PLUGIN_INLINE_ADD_U64 = 0 };

extern void qemu_plugin_register_vcpu_tb_trans_cb(qemu_plugin_id_t,
                                                  void (*)(qemu_plugin_id_t, struct qemu_plugin_tb *));
extern void qemu_plugin_register_vcpu_insn_exec_cb(struct qemu_plugin_insn *, void (*)(unsigned, void *), int, void *);
extern void qemu_plugin_register_vcpu_insn_exec_inline(struct qemu_plugin_insn *, int, void *, uint64_t);
extern void qemu_plugin_register_atexit_cb(qemu_plugin_id_t, void (*)(qemu_plugin_id_t, void *), void *);
extern size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *);
extern struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *, size_t);
extern const void *qemu_plugin_insn_data(const struct qemu_plugin_insn *);
extern size_t qemu_plugin_insn_size(const struct qemu_plugin_insn *);
extern void qemu_plugin_outs(const char *);

#define EXPORT __attribute__((visibility("default")))
EXPORT int qemu_plugin_version = 1;

enum { DEPTH = 8 };
struct region {
    uint64_t index, before;
};
static uint64_t executed;            /* instructions so far, markers left out */
static uint64_t started;             /* regions so far */
static struct region regions[DEPTH];   /* started and not stopped, the innermost last */
static unsigned depth;

static void fault(const char *text)
{
    qemu_plugin_outs("fault ");
    qemu_plugin_outs(text);
    qemu_plugin_outs("\n");
}

static void on_start(unsigned cpu, void *unused)
{
    (void)cpu, (void)unused;
    if (depth == DEPTH) {
        fault("a start within too many open regions");
        return;
    }
    regions[depth++] = (struct region){started++, executed};
}

static void on_stop(unsigned cpu, void *unused)
{
    (void)cpu, (void)unused;
    if (depth == 0) {
        fault("a stop without a start");
        return;
    }
    struct region region = regions[--depth];
    char line[64];
    snprintf(line, sizeof line, "region %" PRIu64 " %" PRIu64 "\n", region.index, executed - region.before);
    qemu_plugin_outs(line);
}

static void on_end(qemu_plugin_id_t id, void *unused)
{
    (void)id, (void)unused;
    if (depth != 0) {
        fault("a start without a stop");
    }
    qemu_plugin_outs("end\n");
}

/* The first bytes of an instruction alone tell a marker. QEMU's sizes are not asked: before a wide Thumb instruction that
 * lies across two pages it counts the first half of that one to the instruction before it. */
static size_t marker_bytes;
static const uint8_t *start, *stop;

static void on_translate(qemu_plugin_id_t id, struct qemu_plugin_tb *block)
{
    (void)id;
    for (size_t i = 0; i < qemu_plugin_tb_n_insns(block); i++) {
        struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(block, i);
        const void *bytes = qemu_plugin_insn_data(insn);
        int long_enough = qemu_plugin_insn_size(insn) >= marker_bytes;
        if (long_enough && memcmp(bytes, start, marker_bytes) == 0) {
            qemu_plugin_register_vcpu_insn_exec_cb(insn, on_start, QEMU_PLUGIN_CB_NO_REGS, NULL);
        } else if (long_enough && memcmp(bytes, stop, marker_bytes) == 0) {
            qemu_plugin_register_vcpu_insn_exec_cb(insn, on_stop, QEMU_PLUGIN_CB_NO_REGS, NULL);
        } else {
            qemu_plugin_register_vcpu_insn_exec_inline(insn, QEMU_PLUGIN_INLINE_ADD_U64, &executed, 1);
        }
    }
}

EXPORT int qemu_plugin_install(qemu_plugin_id_t id, const struct qemu_info *info, int argc, char **argv)
{
    static const uint8_t thumb[2][2] = {{0xc9, 0x46}, {0xd2, 0x46}};
    static const uint8_t a64[2][4] = {{0xe9, 0x03, 0x09, 0xaa}, {0xea, 0x03, 0x0a, 0xaa}};
    (void)argc, (void)argv;
    int wide = strcmp(info->target_name, "aarch64") == 0;
    marker_bytes = wide ? sizeof a64[0] : sizeof thumb[0];
    start = wide ? a64[0] : thumb[0];
    stop = wide ? a64[1] : thumb[1];
    qemu_plugin_register_vcpu_tb_trans_cb(id, on_translate);
    qemu_plugin_register_atexit_cb(id, on_end, NULL);
    return 0;
}
