//go:build linux && (mips || mipsle)

#include "go_asm.h"
#include "textflag.h"

// R16 points to the step. The kernel keeps R16 to R23 and R28 to R31. It tells
// of an error by R7, with the positive number in R2. The fifth and the sixth
// argument are taken from the stack, 16 and 20 bytes above the stack pointer.
// The parent copies them there. The child has no use for a stack: its stack
// pointer is moved into the step, so that they already lie there.
#define STEP \
	MOVW	Step_Nr(R16), R2; \
	MOVW	(Step_Args+0)(R16), R4; \
	MOVW	(Step_Args+4)(R16), R5; \
	MOVW	(Step_Args+8)(R16), R6; \
	MOVW	(Step_Args+12)(R16), R7; \
	SYSCALL; \
	BEQ	R7, 2(PC); \
	SUBU	R2, R0, R2

// func run(table *Step)
TEXT ·run(SB), NOSPLIT, $24-4
	MOVW	table+0(FP), R16
	STEP				// Block
	ADDU	$Step__size, R16
	MOVW	(Step_Args+16)(R16), R8
	MOVW	R8, 16(R29)
	MOVW	(Step_Args+20)(R16), R8
	MOVW	R8, 20(R29)
	STEP				// Clone
	BEQ	R2, child
	MOVW	R2, Step_Result(R16)
	ADDU	$Step__size, R16
	STEP				// Unblock
	RET

child:
	ADDU	$Step__size, R16
next:
	ADDU	$Step__size, R16
	ADDU	$Step_Args, R16, R29
	STEP
	MOVW	R2, Step_Result(R16)
	MOVW	Step_Dst(R16), R4
	MOVW	R2, (R4)
	MOVW	Step_Low(R16), R4
	SUBU	R4, R2
	MOVW	Step_Span(R16), R4
	SGTU	R2, R4, R4
	BEQ	R4, next
exit:
	MOVW	$const_ExitGroup, R2
	MOVW	$const_ExitStatus, R4
	SYSCALL
	JMP	exit
