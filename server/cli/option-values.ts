import { InvalidArgumentError } from 'commander';

/** A parser of whole numbers in a range, for a command's option. */
export function wholeNumber(minimum: number, maximum: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (text.trim() !== '' && Number.isInteger(value) && value >= minimum && value <= maximum) return value;
    throw new InvalidArgumentError(`It must be a whole number in ${minimum}..${maximum}.`);
  };
}

/** A parser of numbers in a range. */
export function numberWithin(minimum: number, maximum: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (text.trim() !== '' && value >= minimum && value <= maximum) return value;
    throw new InvalidArgumentError(`It must be a number in ${minimum}..${maximum}.`);
  };
}

/** A parser of lists of numbers, separated by commas. */
export function numberList(minimum: number, maximum: number): (text: string) => number[] {
  const each = numberWithin(minimum, maximum);
  return (text) => text.split(',').map(each);
}

/** A parser of one of several words. */
export function oneOf<Word extends string>(words: readonly Word[]): (text: string) => Word {
  return (text) => {
    const word = words.find((candidate) => candidate === text);
    if (word !== undefined) return word;
    throw new InvalidArgumentError(`It must be one of ${words.join(', ')}.`);
  };
}
