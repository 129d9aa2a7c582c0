	.section .rodata
	.balign 16
	.globl plugd_bytecode, plugd_bytecode_end
plugd_bytecode:
	.incbin "plugd.bytecode"
plugd_bytecode_end:
	.byte 0
	.section .note.GNU-stack, "", %progbits
