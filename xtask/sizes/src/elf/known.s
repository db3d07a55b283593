@ A program with known stacks, as a linker leaves it: `known.rs` says what must be found in it.
    .syntax unified
    .cpu cortex-m4
    .fpu fpv4-sp-d16
    .thumb

    .section .vector_table, "a", %progbits
    .word 0x20001000
    .word Reset
    .word 0
    .word Handler
    .word Handler

    .section .text, "ax", %progbits
    .macro function name
    .global \name
    .type \name, %function
    .thumb_func
\name:
    .endm
    .macro end name
    .size \name, . - \name
    .endm

    function Reset                      @ 0, then main
    bl main
    udf #0
    end Reset

    function main                       @ 8, then work
    push {r7, lr}
    bl work
    ldr r3, =table
    ldr r3, [r3, #4]
    blx r3                              @ second, which a constant names
    pop {r7, pc}
    .ltorg
    end main

    function work                       @ 36 + 16 + 1024 + 8, then leaf
    stmdb sp!, {r4-r11, lr}
    vpush {d8-d9}
    sub.w sp, sp, #1024
    tbb [pc, r0]
1:  .byte (2f - 1b) / 2
    .byte (3f - 1b) / 2
    .byte (4f - 1b) / 2
    .p2align 1
2:  sub sp, #8
    bl leaf
    add sp, #8
    b 5f
3:  cmp r1, #0
    itt ne
    strne r0, [sp]
    bne 5f
4:  movs r0, #1
5:  add.w sp, sp, #1024
    vpop {d8-d9}
    ldmia sp!, {r4-r11, pc}
    end work

    function leaf                       @ 12
    str r4, [sp, #-4]!
    strd r5, r6, [sp, #-8]!
    ldrd r5, r6, [sp], #8
    ldr r4, [sp], #4
    bx lr
    end leaf

    function second                     @ 8 + 24 + 28 for an address of a multiple of 32
    push {r4, r7}
    mov r7, sp
    sub sp, #24
    mov r4, sp
    bic r4, r4, #31
    mov sp, r4
    mov sp, r7
    pop {r4, r7}
    bx lr
    end second

    function Handler                    @ 16, and a panic
    push {r4, r5, r6, lr}
    cbz r0, 1f
    bl _ZN4core9panicking5panic17h0000000000000000E
    nop
1:  pop {r4, r5, r6, pc}
    end Handler

label:                                  @ a label without a size is a function: 40
    sub sp, #40
    b.w endless

    function endless
    b .
    end endless

    function _ZN4core9panicking5panic17h0000000000000000E
    udf #0
    end _ZN4core9panicking5panic17h0000000000000000E

    .section .rodata, "a", %progbits
table:
    .word label + 1
    .word second

    .section .bss, "aw", %nobits
    .type ARENA, %object
ARENA:
    .space 4096
    .size ARENA, 4096
