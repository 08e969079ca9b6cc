#include "go_asm.h"
#include "textflag.h"

// R12 points to the step. The kernel keeps all registers but AX, CX and R11.
#define STEP \
	MOVQ	Step_Nr(R12), AX; \
	MOVQ	(Step_Args+0)(R12), DI; \
	MOVQ	(Step_Args+8)(R12), SI; \
	MOVQ	(Step_Args+16)(R12), DX; \
	MOVQ	(Step_Args+24)(R12), R10; \
	MOVQ	(Step_Args+32)(R12), R8; \
	MOVQ	(Step_Args+40)(R12), R9; \
	SYSCALL

// func run(table *Step)
TEXT ·run(SB), NOSPLIT|NOFRAME, $0-8
	MOVQ	table+0(FP), R12
	STEP				// Block
	ADDQ	$Step__size, R12
	STEP				// Clone
	TESTQ	AX, AX
	JEQ	child
	MOVQ	AX, Step_Result(R12)
	ADDQ	$Step__size, R12
	STEP				// Unblock
	RET

child:
	ADDQ	$Step__size, R12
next:
	ADDQ	$Step__size, R12
	STEP
	MOVQ	AX, Step_Result(R12)
	MOVQ	Step_Dst(R12), BX
	MOVQ	AX, (BX)
	SUBQ	Step_Low(R12), AX
	CMPQ	AX, Step_Span(R12)
	JLS	next
exit:
	MOVQ	$const_ExitGroup, AX
	MOVQ	$const_ExitStatus, DI
	SYSCALL
	JMP	exit
