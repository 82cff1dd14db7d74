/**
 * The last so many values, then those that come: told to whoever subscribes. What rxjs' ReplaySubject does,
 * which moves all it holds at every value once it is full; here a value costs the same however many are kept.
 */
import { Observable, Subject } from 'rxjs';

export class Remembered<T> {
  readonly #most: number;
  readonly #values: T[] = [];
  /** Where the oldest stands once there are `most`. */
  #oldest = 0;
  readonly #live$ = new Subject<T>();

  constructor(most: number) {
    this.#most = most;
  }

  readonly values$ = new Observable<T>((subscriber) => {
    const oldest = this.#oldest;
    const past = this.#values.slice(oldest).concat(this.#values.slice(0, oldest));
    for (const value of past) subscriber.next(value);
    return this.#live$.subscribe(subscriber);
  });

  next(value: T): void {
    if (this.#values.length < this.#most) {
      this.#values.push(value);
    } else {
      this.#values[this.#oldest] = value;
      this.#oldest = (this.#oldest + 1) % this.#most;
    }
    this.#live$.next(value);
  }
}
