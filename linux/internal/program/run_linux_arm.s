#include "go_asm.h"
#include "textflag.h"

// R8 points to the step. The kernel keeps all registers but R0.
#define STEP \
	MOVW	Step_Nr(R8), R7; \
	MOVW	(Step_Args+0)(R8), R0; \
	MOVW	(Step_Args+4)(R8), R1; \
	MOVW	(Step_Args+8)(R8), R2; \
	MOVW	(Step_Args+12)(R8), R3; \
	MOVW	(Step_Args+16)(R8), R4; \
	MOVW	(Step_Args+20)(R8), R5; \
	SWI	$0

// func run(table *Step)
TEXT ·run(SB), NOSPLIT|NOFRAME, $0-4
	MOVW	table+0(FP), R8
	STEP				// Block
	ADD	$Step__size, R8
	STEP				// Clone
	CMP	$0, R0
	BEQ	child
	MOVW	R0, Step_Result(R8)
	ADD	$Step__size, R8
	STEP				// Unblock
	RET

child:
	ADD	$Step__size, R8
next:
	ADD	$Step__size, R8
	STEP
	MOVW	R0, Step_Result(R8)
	MOVW	Step_Dst(R8), R1
	MOVW	R0, (R1)
	MOVW	Step_Low(R8), R1
	SUB	R1, R0
	MOVW	Step_Span(R8), R1
	CMP	R1, R0
	BLS	next
exit:
	MOVW	$const_ExitGroup, R7
	MOVW	$const_ExitStatus, R0
	SWI	$0
	B	exit
