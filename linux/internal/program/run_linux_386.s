#include "go_asm.h"
#include "textflag.h"

// P points to the step. A system call takes six arguments, BP the last, and its
// number in AX: seven of the eight registers. The parent needs its stack
// pointer and none of its calls has a sixth argument, so its P is BP. The child
// has no use for a stack: its P is SP.
#define STEP(P) \
	MOVL	Step_Nr(P), AX; \
	MOVL	(Step_Args+0)(P), BX; \
	MOVL	(Step_Args+4)(P), CX; \
	MOVL	(Step_Args+8)(P), DX; \
	MOVL	(Step_Args+12)(P), SI; \
	MOVL	(Step_Args+16)(P), DI

#define SYSTEM \
	INT	$0x80

// func run(table *Step)
TEXT ·run(SB), NOSPLIT|NOFRAME, $0-4
	MOVL	table+0(FP), BP
	STEP(BP)			// Block
	SYSTEM
	ADDL	$Step__size, BP
	STEP(BP)			// Clone
	SYSTEM
	TESTL	AX, AX
	JEQ	child
	MOVL	AX, Step_Result(BP)
	ADDL	$Step__size, BP
	STEP(BP)			// Unblock
	SYSTEM
	RET

child:
	MOVL	BP, SP
	ADDL	$Step__size, SP
next:
	ADDL	$Step__size, SP
	STEP(SP)
	MOVL	(Step_Args+20)(SP), BP
	SYSTEM
	MOVL	AX, Step_Result(SP)
	MOVL	Step_Dst(SP), BX
	MOVL	AX, (BX)
	SUBL	Step_Low(SP), AX
	CMPL	AX, Step_Span(SP)
	JLS	next
exit:
	MOVL	$const_ExitGroup, AX
	MOVL	$const_ExitStatus, BX
	SYSTEM
	JMP	exit
