/** Removes one lab: `node reaper.ts LAB_ID`, started by a shell that waited until the lab's owner was gone. */
import { removeLab } from './remains.ts'

const [labId] = process.argv.slice(2)
if (labId !== undefined) await removeLab(labId)
