/** The line that shows how far several builds are. Builds text. */
import type { BuildsProgress } from '../../dkms/run/autoinstall/build-forecast.ts';

/** `2 of 10 built, about 40 s left: nvidia/525 for 6.1.0-50-amd64`, to be followed by an ellipsis. */
export function buildsProgressText({ built, total, running, secondsLeft }: BuildsProgress): string {
  // A build that takes longer than the last time has no time left, and nobody knows how long it takes.
  const left = secondsLeft === undefined || secondsLeft < 1 ? '' : `, about ${timeText(secondsLeft)} left`;
  const now = running.length === 0 ? '' : `: ${running.join(', ')}`;
  return `${built} of ${total} built${left}${now}`;
}

/** Seconds as people say them: `40 s`, `3 min`, `2 h`. */
function timeText(seconds: number): string {
  if (seconds < 90) return `${Math.ceil(seconds)} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 90 ? `${minutes} min` : `${Math.round(minutes / 60)} h`;
}
