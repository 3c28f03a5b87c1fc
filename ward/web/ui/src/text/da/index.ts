/** Danish. */

import type { Words } from "../language.svelte";
import { account } from "./account";
import { acting } from "./acting";
import { admin } from "./admin";
import { admit } from "./admit";
import { manage } from "./manage";
import { board } from "./board";
import { common } from "./common";
import { faults } from "./faults";
import { frame } from "./frame";
import { handover } from "./handover";
import { packs } from "./packs";
import { problems } from "./problems";
import { shift } from "./shift";
import { sound } from "./sound";
import { stay } from "./stay";
import { trail } from "./trail";
import { workbench } from "./workbench";
import { reports } from "./reports";

export const da: Words = { ...common, ...frame, ...board, ...acting, ...account, ...stay, ...sound, ...problems, ...faults, ...admin, ...admit, ...manage, ...workbench, ...shift, ...handover, ...reports, ...packs, ...trail };
