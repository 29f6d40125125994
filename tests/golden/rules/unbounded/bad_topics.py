"""Two handlers hand a job to and fro."""

from pydantic import BaseModel

from parti import (
    System,
)

desk = System("desk")


class Job(BaseModel):
    id: str
    left: int


jobs = desk.topic("jobs", Job, key="id")
reviews = desk.topic("reviews", Job, key="id")


@desk.on(jobs, to=reviews)
async def work(job: Job) -> Job:
    return job


@desk.on(reviews)
async def again(job: Job) -> None:
    if job.left:
        await jobs.publish(job)
