#include "go_asm.h"
#include "textflag.h"

// R19 points to the step. The kernel keeps all registers but R0.
#define STEP \
	MOVD	Step_Nr(R19), R8; \
	MOVD	(Step_Args+0)(R19), R0; \
	MOVD	(Step_Args+8)(R19), R1; \
	MOVD	(Step_Args+16)(R19), R2; \
	MOVD	(Step_Args+24)(R19), R3; \
	MOVD	(Step_Args+32)(R19), R4; \
	MOVD	(Step_Args+40)(R19), R5; \
	SVC

// func run(table *Step)
TEXT ·run(SB), NOSPLIT|NOFRAME, $0-8
	MOVD	table+0(FP), R19
	STEP				// Block
	ADD	$Step__size, R19
	STEP				// Clone
	CBZ	R0, child
	MOVD	R0, Step_Result(R19)
	ADD	$Step__size, R19
	STEP				// Unblock
	RET

child:
	ADD	$Step__size, R19
next:
	ADD	$Step__size, R19
	STEP
	MOVD	R0, Step_Result(R19)
	MOVD	Step_Dst(R19), R1
	MOVD	R0, (R1)
	MOVD	Step_Low(R19), R1
	SUB	R1, R0
	MOVD	Step_Span(R19), R1
	CMP	R1, R0
	BLS	next
exit:
	MOVD	$const_ExitGroup, R8
	MOVD	$const_ExitStatus, R0
	SVC
	B	exit
