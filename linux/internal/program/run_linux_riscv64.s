#include "go_asm.h"
#include "textflag.h"

// S2 points to the step. The kernel keeps all registers but A0.
#define STEP \
	MOV	Step_Nr(S2), A7; \
	MOV	(Step_Args+0)(S2), A0; \
	MOV	(Step_Args+8)(S2), A1; \
	MOV	(Step_Args+16)(S2), A2; \
	MOV	(Step_Args+24)(S2), A3; \
	MOV	(Step_Args+32)(S2), A4; \
	MOV	(Step_Args+40)(S2), A5; \
	ECALL

// func run(table *Step)
TEXT ·run(SB), NOSPLIT|NOFRAME, $0-8
	MOV	table+0(FP), S2
	STEP				// Block
	ADD	$Step__size, S2
	STEP				// Clone
	BEQZ	A0, child
	MOV	A0, Step_Result(S2)
	ADD	$Step__size, S2
	STEP				// Unblock
	RET

child:
	ADD	$Step__size, S2
next:
	ADD	$Step__size, S2
	STEP
	MOV	A0, Step_Result(S2)
	MOV	Step_Dst(S2), A1
	MOV	A0, (A1)
	MOV	Step_Low(S2), A1
	SUB	A1, A0, A0
	MOV	Step_Span(S2), A1
	BGEU	A1, A0, next
exit:
	MOV	$const_ExitGroup, A7
	MOV	$const_ExitStatus, A0
	ECALL
	JMP	exit
